"""What IntegratedML is given: the contract as public sources have it, and answers that are known beforehand."""

from __future__ import annotations

import importlib.util
import inspect
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planted_groups import plant_groups, with_strangers
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFpr, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit, cross_validate
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from test_examples import statements

from meetup2025.analytics.clusters import assign, fit_clusters
from meetup2025.analytics.detectors import DETECTORS
from meetup2025.errors import DataError
from meetup2025.integratedml import GROUPS, OUTLIERS
from meetup2025.integratedml.estimators import NearestGroup, OddItems

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meetup2025.engines import Connection

PAGE = (Path(__file__).parents[1] / "docs" / "integratedml.md").read_text("utf-8")
FILES = sorted([*Path(OUTLIERS).glob("*.py"), *Path(GROUPS).glob("*.py")])
STATE = {"random_state": None, "n_jobs": 1, "verbose": 0, "isc_models_disabled": 1, "problem_type": "Classification"}
"""What AutoML is seen to hand to `IRISModel`."""


def load(file: Path) -> Any:
    """Import a file by its path, as AutoML does: its folder is not on the path afterwards."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.IRISModel


def prepared(columns: NDArray[Any], labels: NDArray[Any]) -> csr_matrix:
    """Make of columns what the AutoML Reference says: scaled, in quartiles, and without those that tell nothing."""
    scaled = StandardScaler().fit_transform(columns)
    quarters = np.stack([np.digitize(each, np.quantile(each, (0.25, 0.5, 0.75))) for each in columns.T], axis=1)
    every = np.hstack([scaled, np.eye(4)[quarters].reshape(len(columns), -1)])
    return csr_matrix(SelectFpr(f_classif, alpha=0.2).fit_transform(every, labels))


def likeness(rows: NDArray[Any], to: NDArray[Any]) -> NDArray[Any]:
    """Give the cosines of rows to others, as the view of the page does."""
    unit, other = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, to))
    return unit @ other.T


def scored(estimator: Any, rows: Any, labels: NDArray[Any], scoring: str) -> float:
    """Score an estimator by three splits of 70 to 30, as AutoML does."""
    splits = ShuffleSplit(3, test_size=0.3, random_state=5)
    return float(
        cross_validate(estimator, rows, labels, cv=splits, scoring=scoring, error_score="raise")["test_score"].mean()
    )


def _with_one(rows: NDArray[Any]) -> NDArray[Any]:
    return np.append(rows, np.ones((len(rows), 1)), axis=1)


@pytest.fixture
def places() -> tuple[NDArray[Any], NDArray[Any]]:
    """Places on a map in three heaps, 30 in each, and 4 strangers far from all, scaled; and which are strange."""
    rng = np.random.default_rng(5)
    heaps = np.repeat([[0, 0], [6, 0], [0, 6]], 30, axis=0) + rng.normal(scale=0.5, size=(90, 2))
    strangers = np.array([[20, 20], [-20, 3], [2, -25], [25, -9]])
    return np.vstack([heaps, strangers]) / 10, np.repeat([0, 1], [90, 4])


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_model_has_what_automl_asks_for(file: Path) -> None:
    """`IRISModel` can be made of what AutoML hands over, has a name, that of its file, and an estimator's methods."""
    model = load(file)(**STATE)

    assert (model.name, model.package) == (file.stem, "meetup2025")
    assert model.model_type
    for part in (model, model.model):
        assert [*inspect.signature(part.fit).parameters][:2] == ["X", "y"]
        assert all(
            [*inspect.signature(getattr(part, each)).parameters] == ["X"] for each in ("predict", "predict_proba")
        )
        assert part.set_params(**part.get_params(deep=True)) is part
    assert load(file)().get_params() == model.get_params()


def test_the_folders_have_models_alone() -> None:
    """AutoML imports every file of a folder, so there is no other; the detectors there are known ones."""
    found = [each for folder in (OUTLIERS, GROUPS) for each in Path(folder).iterdir() if each.name != "__pycache__"]

    assert sorted(found) == FILES
    assert {load(file).model_type for file in Path(OUTLIERS).glob("*.py")} == {
        "Neighbours",
        "KMeansDistance",
        "IsolationForest",
    }
    assert {load(file)().model.method for file in Path(OUTLIERS).glob("*.py")} <= set(DETECTORS)


@pytest.mark.parametrize(("given", "seed"), [(None, 5), (0, 0), (7, 7)])
def test_seed_of_a_model(given: int | None, seed: int) -> None:
    """The seed of the statement is taken, 0 too; without one it is 5."""
    model = load(Path(OUTLIERS) / "meetup2025_isolation_forest.py")(**STATE | {"random_state": given})

    assert model.get_params() == {"method": "IsolationForest", "seed": seed}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_model_answers_in_another_process(
    file: Path, places: tuple[NDArray[Any], NDArray[Any]], tmp_path: Path
) -> None:
    """A fitted estimator can be unpickled where the folder of its file is not on the path, and answers as before."""
    rows, odd = places
    model = load(file)(**STATE).fit(rows, odd)
    (tmp_path / "model").write_bytes(pickle.dumps(model.model))
    np.save(tmp_path / "rows.npy", rows)
    script = (
        "import pickle, sys, numpy; model = pickle.load(open(sys.argv[1] + '/model', 'rb'));"
        "print(model.predict_proba(numpy.load(sys.argv[1] + '/rows.npy')).tolist())"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == model.predict_proba(rows).tolist()


# --- answers that are known beforehand ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", DETECTORS)
def test_strangers_on_a_map(method: str, places: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """A detector that has seen heaps calls the middle of a heap normal, and a place far from all odd."""
    model = OddItems(method).fit(*places)

    assert model.predict([[0.6, 0], [0, 0.6], [-2.5, -2.5]]).tolist() == [0, 0, 1]


@pytest.mark.parametrize("method", ["Neighbours", "KMeansDistance", "IsolationForest"])
def test_strangers_by_likeness(method: str) -> None:
    """From cosines to eight normal items, as AutoML prepares them, a detector tells strangers it has not seen."""
    rows, odd = with_strangers(300, 15, seed=0)
    columns = likeness(rows, rows[~odd][:8])

    assert scored(OddItems(method), prepared(columns, odd), odd.astype(int), "roc_auc") > 0.85


def test_labels_that_mean_nothing() -> None:
    """Where the labels are drawn by lot, the same scoring finds no more than chance: it can fail."""
    rows, odd = with_strangers(300, 15, seed=0)
    columns, drawn = likeness(rows, rows[~odd][:8]), np.random.default_rng(5).permutation(odd)

    assert scored(OddItems(), csr_matrix(columns), drawn.astype(int), "roc_auc") < 0.75


def test_groups_by_likeness() -> None:
    """From cosines to six items, as AutoML prepares them, each new item gets the number of its group."""
    rows, groups = plant_groups(300, 5)
    model = load(Path(GROUPS) / "meetup2025_groups.py")(**STATE)
    columns = prepared(likeness(rows, rows[:6]), groups)

    assert scored(model.model, columns, groups + 1, "f1_macro") == 1
    assert model.fit(columns, groups + 1).predict(columns).tolist() == (groups + 1).tolist()


def test_groups_are_those_of_the_clusters() -> None:
    """Of rows that are vectors, each new one gets the group that `assign` gives it; the labels may be any."""
    rows, _ = plant_groups(300, 5)
    found = fit_clusters(_with_one(rows[:200]), 5)
    names = np.array(["a", "b", "c", "d", "e"])
    model = NearestGroup().fit(rows[:200], names[found.labels])

    assert model.classes_.tolist() == names.tolist()
    assert model.predict(rows[200:]).tolist() == names[assign(found, _with_one(rows[200:]))[0]].tolist()


def test_one_group() -> None:
    """Of one group, with one row, every row is a member."""
    model = NearestGroup().fit([[1, 2]], [3])

    assert model.predict([[1, 2], [-5, 0]]).tolist() == [3, 3]
    assert model.predict_proba([[-5, 0]]).tolist() == [[1]]


def test_the_size_counts() -> None:
    """A row in the direction of the others, but ten times as far, is odd: columns of numbers are no directions."""
    rng = np.random.default_rng(5)
    heap = np.array([1.0, 1.0]) + rng.normal(scale=0.05, size=(40, 2))

    assert OddItems().fit(np.vstack([heap, [[9, 9]]]), [0] * 40 + [1]).predict([[10, 10], [1, 1]]).tolist() == [1, 0]


def test_labels_set_the_threshold() -> None:
    """The threshold lies between the oddest normal row and the least odd of the others, where there is such a place."""
    rows = np.column_stack([np.linspace(-1, 1, 20), np.zeros(20)])
    far = [[0, 3], [0, 4]]
    model = OddItems().fit(np.vstack([rows, far]), [0] * 20 + [1] * 2)
    near = OddItems().fit(np.vstack([rows, far, [[0, 1]]]), [0] * 20 + [1] * 3)

    assert model.detector_.own_scores.max() < near.threshold_ < model.threshold_
    assert model.predict([[0, 1], [0, 3], [0, 4]]).tolist() == [0, 1, 1]
    assert near.predict([[0, 1], [0, 3], [0, 4]]).tolist() == [1, 1, 1]


# --- as an estimator of scikit-learn --------------------------------------------------------------------------------


def test_groups_pass_the_checks_of_scikit_learn() -> None:
    """All checks of scikit-learn pass."""
    assert {each["status"] for each in check_estimator(NearestGroup(), on_skip=None)} <= {"passed", "skipped"}


def test_odd_items_pass_the_checks_that_bring_no_labels() -> None:
    """Those checks of scikit-learn pass that bring no labels of their own, since here they must be 0 and 1."""
    results = check_estimator(OddItems(), on_fail=None, on_skip=None)

    assert {each["check_name"] for each in results if each["status"] == "passed"} >= {
        "check_complex_data",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimators_empty_data_messages",
        "check_estimators_unfitted",
        "check_fit1d",
        "check_get_params_invariance",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_set_params",
    }


def test_clones_are_equal_and_not_fitted(places: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """A clone, which cross-validation makes, has the parameters and nothing else."""
    model = OddItems("IsolationForest", 7).fit(*places)

    assert clone(model).get_params() == {"method": "IsolationForest", "seed": 7}
    assert not hasattr(clone(model), "detector_")


@pytest.mark.parametrize("method", DETECTORS)
def test_sparse_rows_are_rows(method: str, places: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """A sparse matrix gives what the same numbers give in an array; and twice the same gives the same."""
    rows, odd = places
    dense = OddItems(method).fit(rows, odd).predict_proba(rows)

    assert np.array_equal(OddItems(method).fit(csr_matrix(rows), odd).predict_proba(csr_matrix(rows)), dense)


@pytest.mark.parametrize("method", DETECTORS)
def test_probabilities(method: str, places: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """Two numbers for each row, with the sum 1; the greater is that of the answer."""
    rows, odd = places
    model = OddItems(method).fit(rows, odd)
    found = model.predict_proba(rows)

    assert found.shape == (94, 2)
    assert found.min() >= 0
    assert found.sum(axis=1) == pytest.approx(np.ones(94))
    assert model.classes_[found.argmax(axis=1)].tolist() == model.predict(rows).tolist()


@pytest.mark.parametrize("ask", ["predict", "predict_proba"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_not_fitted(file: Path, ask: str) -> None:
    """A model that is not trained says so."""
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(load(file)(), ask)([[1, 2]])


# --- what cannot be learnt ------------------------------------------------------------------------------------------


def test_no_odd_row(places: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """Where no row is called odd, none of them is, and what is odder than all of them is."""
    rows, odd = places
    model = OddItems().fit(rows[odd == 0], odd[odd == 0])

    assert model.classes_.tolist() == [0, 1]
    assert model.threshold_ == model.detector_.own_scores.max()
    assert model.predict([[2, -2]]).tolist() == [1]


def test_equal_rows() -> None:
    """Rows that are all equal, and all 0, have scores of 0, and none is odd, whatever the labels say."""
    model = OddItems().fit(np.zeros((12, 2)), [0] * 10 + [1] * 2)

    assert model.predict(np.zeros((3, 2))).tolist() == [0, 0, 0]
    assert model.predict_proba(np.zeros((3, 2))).tolist() == [[1, 0]] * 3


@pytest.mark.parametrize(
    ("rows", "labels", "error", "message"),
    [
        (np.empty((0, 2)), [], ValueError, "minimum of 1 is required"),
        (np.eye(2)[:1], [0], DataError, r"at least 2 vectors"),
        (np.eye(2), [0, 1], DataError, r"at least 2 vectors"),
        (np.eye(2), [1, 1], DataError, r"at least 2 vectors"),
        (np.eye(9), [0, 1, 2] * 3, DataError, r"Labels must be a row of 1 \(odd\) and 0 \(normal\)"),
        (np.eye(9), ["no", "yes", "no"] * 3, DataError, r"Labels must be"),
        (np.eye(9), [0, 1], ValueError, "inconsistent numbers of samples"),
        (np.ones(9), [0] * 9, ValueError, "Expected 2D array"),
        (np.full((9, 2), np.nan), [0] * 9, ValueError, "contains NaN"),
        (np.full((9, 2), np.inf), [0] * 9, ValueError, "contains infinity"),
    ],
)
def test_what_cannot_be_learnt(rows: Any, labels: Any, error: type[Exception], message: str) -> None:
    """Too few normal rows, other labels, and rows that are none, are refused with the reason."""
    with pytest.raises(error, match=message):
        OddItems().fit(rows, labels)


def test_rows_of_another_length(places: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """Rows with more columns than were learnt are refused."""
    with pytest.raises(ValueError, match="X has 3 features, but OddItems is expecting 2"):
        OddItems().fit(*places).predict([[1, 2, 3]])


# --- the page -------------------------------------------------------------------------------------------------------

PREDICTED = re.findall(r"^\| (?:the|what) .* \| (?:ROC AUC|F1) \| (\d\.\d\d) \|$", PAGE, re.MULTILINE)
KEYS = {"pathtoclassifiers", "iscmodelsdisabled", "IsRegression", "seed"}


def test_using_clauses_of_the_page() -> None:
    """The keys are spelt as AutoML knows them, since it ignores others without a word; the folders are there."""
    clauses = [json.loads(each) for each in re.findall(r"USING (\{.*?\})", PAGE, re.DOTALL)]
    folders = [clause["pathtoclassifiers"] for clause in clauses if "pathtoclassifiers" in clause]

    assert len(clauses) == 3
    assert {key for clause in clauses for key in clause} == KEYS
    assert [Path(each).name for each in folders] == [Path(OUTLIERS).name, Path(GROUPS).name]
    assert all(each.startswith("/usr/irissys/mgr/python/meetup2025/integratedml/") for each in folders)


def test_statements_of_the_page_are_not_run() -> None:
    """What only a server can do is marked so, and the page says that it was not done."""
    assert "Nothing on this page has been run on an IRIS server by this project." in PAGE
    for block in re.findall(r"(?:<!-- (.*?) -->\n)?```sql\n(.*?)```", PAGE, re.DOTALL):
        assert block[0].startswith("not run: ") == ("MODEL" in block[1])


def measured(connection: Connection) -> list[float]:
    """Run the statements of the page, and score what it scores, in its order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.FitOutliers('Fish', 'Neighbours', 0.1)")
        for block in re.findall(r"\n\n```sql\n(.*?)```", PAGE, re.DOTALL):
            for statement in statements(block):
                cursor.execute(statement)
        view = next(part for part in re.findall(r"```sql\n(.*?);\n```", PAGE, re.DOTALL) if "LikeAji" in part)
        answers = []
        for column, table in (("Odd", "Mark"), ("Cluster", "ClusterItem"), ("Odd", "OutlierItem")):
            cursor.execute(f"SELECT l.*, o.{column} FROM ({view}) l JOIN MeetUp2025.{table} o ON o.Item = l.FishID")
            answers.append(np.array([row[2:] for row in cursor.fetchall()], float))
    strays, groups, run = ((prepared(each[:, :-1], each[:, -1]), each[:, -1].astype(int)) for each in answers)
    own = [OddItems(method) for method in ("Neighbours", "KMeansDistance", "IsolationForest")]
    automl = LogisticRegression(solver="liblinear", class_weight="balanced")  # as its reference says
    return [
        *(averaged(each, *strays, "roc_auc") for each in (*own, automl)),
        averaged(NearestGroup(), *groups, "f1_macro"),
        averaged(own[0], *run, "roc_auc"),
    ]


def averaged(estimator: Any, rows: Any, labels: NDArray[Any], scoring: str) -> float:
    """Score by twenty splits that share the labels fairly, since four strays are few."""
    splits = StratifiedShuffleSplit(20, test_size=0.3, random_state=5)
    return float(cross_validate(estimator, rows, labels, cv=splits, scoring=scoring)["test_score"].mean())


def test_measurements_of_the_page(bundled: Connection) -> None:
    """The scores of the page are those that its statements give, in the preparation of the AutoML Reference."""
    assert [float(each) for each in PREDICTED] == pytest.approx(measured(bundled), abs=0.02)
