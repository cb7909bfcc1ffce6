"""A catalogue with known neighbours: three clusters, and strangers that are like nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meetup2025.engines import Connection

DIMENSION = 512
EXEMPLARS = ("マアジ", "ボタンエビ", "マダコ")
CLUSTERS = (
    ("マアジ", "マイワシ", "サンマ", "マサバ", "ブリ", "カツオ", "サワラ", "トビウオ"),
    ("ボタンエビ", "クルマエビ", "イセエビ", "ズワイガニ", "ガザミ", "ケガニ", "シャコ", "アマエビ"),
    ("マダコ", "ミズダコ", "アオリイカ", "スルメイカ", "ホタルイカ", "コウイカ", "ヤリイカ", "タコブネ"),
)
STRANGERS = ("abc", "Ocean Sunfish", "イトマキヒトデ", "ミズクラゲ", "ムラサキウニ", "マナマコ", "リュウグウノツカイ")

INSERT_FISH = "INSERT INTO MeetUp2025.Fish (FishID,Name,Features) VALUES (?,?,TO_VECTOR(?,DOUBLE,512))"
INSERT_IMAGE = "INSERT INTO MeetUp2025.FishImage (Name,Features) VALUES (?,TO_VECTOR(?,DOUBLE,512))"


@dataclass(frozen=True)
class Planted:
    """Names and unit vectors of shape (n, 512). numpy computes the expected answers of SQL from them."""

    ids: list[str]
    names: list[str]
    vectors: NDArray[np.float64]

    def vector(self, name: str) -> NDArray[np.float64]:
        """Return the vector of a name."""
        return self.vectors[self.names.index(name)]

    def nearest(self, vector: NDArray[np.float64], k: int) -> list[tuple[str, float]]:
        """Return the *k* names nearest to a vector and their cosines, best first."""
        scores = self.vectors @ vector / np.linalg.norm(vector)
        return [(self.names[at], float(scores[at])) for at in np.argsort(-scores)[:k]]

    def anomalies(self, threshold: float, k: int) -> list[tuple[str, float]]:
        """Return the *k* names least like their most similar exemplar, below *threshold*."""
        scores = np.max([self.vectors @ self.vector(name) for name in EXEMPLARS], axis=0)
        below = [(self.names[at], float(scores[at])) for at in np.argsort(scores) if scores[at] < threshold]
        return below[:k]


def plant(seed: int = 2025) -> Planted:
    """Draw the catalogue: members of a cluster have cosines near 0.8, all others near 0."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in CLUSTERS:
        centre = unit(rng.normal(size=DIMENSION))
        rows += [unit(centre + 0.5 * unit(rng.normal(size=DIMENSION))) for _ in CLUSTERS[0]]
    rows += [unit(rng.normal(size=DIMENSION)) for _ in STRANGERS]
    names = [name for cluster in (*CLUSTERS, STRANGERS) for name in cluster]
    return Planted([f"F{number:03}" for number in range(len(names))], names, np.array(rows))


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide a vector by its length."""
    return vector / np.linalg.norm(vector)


def text(vector: NDArray[Any]) -> str:
    """Write a vector as the workshop did, in pure Python."""
    return ",".join(str(number) for number in vector.tolist())


def insert(connection: Connection, planted: Planted) -> None:
    """Insert the catalogue into both tables and commit."""
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_FISH, list(zip(planted.ids, planted.names, planted.vectors, strict=True)))
        photos = [f"{name}.jpg" for name in planted.names]
        cursor.executemany(INSERT_IMAGE, list(zip(photos, planted.vectors, strict=True)))
    connection.commit()
