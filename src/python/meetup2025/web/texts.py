"""
The texts of the pages, in English and Japanese: one row for each text.
"""

from __future__ import annotations

_TEXTS = {
    # all pages
    "skip": ("Skip to the content", "本文へ移動"),
    "pages": ("Pages", "ページ"),
    "language_label": ("Language", "言語"),
    "identify_link": ("Identify", "名前を調べる"),
    "map_link": ("Map", "地図"),
    "runs_link": ("Runs", "ラン"),
    "sql_title": ("SQL behind this page", "このページのSQL"),
    "sql_note": (
        "These statements found the results above. They also run on the SQL page of the Management Portal.",
        "上の内容は次のSQL文の結果です。管理ポータルのSQL画面でも実行できます。",
    ),
    "copy": ("Copy the SQL", "SQLをコピー"),
    "copied": ("Copied.", "コピーしました。"),
    "copy_by_hand": ("The SQL is selected: press Ctrl+C.", "SQLを選択しました。Ctrl+Cでコピーしてください。"),
    "working": ("Working …", "処理中です…"),
    # errors
    "too_large": ("The picture is too large: at most 50 MB.", "画像が大きすぎます（50 MBまで）。"),
    "wrong_input": ("This input cannot be used.", "この入力は使えません。"),
    "refused": ("The request was refused.", "要求を受け付けられません。"),
    "stale": ("This page is too old: load it again.", "ページが古くなりました。再読み込みしてください。"),
    "no_adding": ("Adding photos is switched off.", "写真の追加は無効になっています。"),
    "unavailable": ("The database does not answer.", "データベースが応答しません。"),
    "failed": ("An error occurred.", "エラーが発生しました。"),
    "unreachable": ("The server cannot be reached.", "サーバーに接続できません。"),
    # identify
    "identify_title": ("Name the fish in a picture", "写真の魚の名前を調べる"),
    "identify_lead": (
        "Choose, drop, paste or take a picture. It is compared with every name of the catalogue.",
        "画像を選ぶ、ドロップする、貼り付ける、または撮影してください。カタログのすべての名前と比べます。",
    ),
    "drop_here": ("Drop a picture here, or paste one.", "ここに画像をドロップするか、貼り付けてください。"),
    "choose": ("Choose a picture", "画像を選ぶ"),
    "camera": ("Take a photo", "写真を撮る"),
    "picture_note": (
        "JPEG, PNG, GIF, BMP, TIFF or WebP, at most 50 MB. It is not kept unless you add it.",
        "JPEG・PNG・GIF・BMP・TIFF・WebP、50 MBまで。追加しない限り保存されません。",
    ),
    "samples_title": ("Sample pictures", "サンプル画像"),
    "result_title": ("Names, best first", "候補（近い順）"),
    "no_such_map": (
        "There is no map of run {run}. This is the newest map.",
        "ラン {run} の地図はありません。最新の地図を表示します。",
    ),
    "picture": ("Picture", "画像"),
    "preview": ("The picture that was named", "調べた画像"),
    "sure": ("This is {name}.", "{name}です。"),
    "unsure": ("Not sure. The nearest name is {name}.", "確信がありません。最も近い名前は{name}です。"),
    "unmeasured": (
        "The nearest name is {name}. The confidence of this model has not been measured.",
        "最も近い名前は{name}です。このモデルの確かさは測定されていません。",
    ),
    "sure_species": ("This is {name} ({chance}).", "{name}です（確率{chance}）。"),
    "sure_group": (
        "This is a kind of {english} ({name}, {chance}), such as {best}. The species is not sure.",
        "{name}（{english}）の仲間です（{best}など。確率{chance}）。種までは確信がありません。",
    ),
    "sure_taxon": (
        "This is one of the {name} ({chance}), such as {best}. The species is not sure.",
        "{name}の仲間です（{best}など。確率{chance}）。種までは確信がありません。",
    ),
    "not_sure": (
        "Not sure. The first name is {name} ({chance}).",
        "確信がありません。第一候補は{name}です（確率{chance}）。",
    ),
    "none_of_these": (
        "None of these: no name or photo is like this picture.",
        "どれでもありません。この画像に似た名前も写真もありません。",
    ),
    "unfitted": (
        "The nearest name is {name}. With three labelled photos of each kind, the answer says how sure it is.",
        "最も近い名前は{name}です。種類ごとに3枚ほど写真にラベルを付けると、確かさも分かるようになります。",
    ),
    "only_drawings": (
        "The model sketch knows drawings only. Do not trust its names for photographs.",
        "モデル sketch が学習したのはイラストだけです。写真では信頼できません。",
    ),
    "score_note": (
        "The score is the cosine similarity to the name, and to labelled photos: 1 is equal, 0 is unrelated.",
        "スコアは名前とラベル付き写真に対するコサイン類似度です（1は一致、0は無関係）。",
    ),
    "name": ("Name", "名前"),
    "kanji": ("Kanji", "漢字"),
    "english": ("English", "英語名"),
    "score": ("Score", "スコア"),
    "probability": ("Probability", "確率"),
    "photos": ("Photos", "写真"),
    "it_is": ("It is …", "正しくは…"),
    "teach": ("Teach", "教える"),
    "none_of_them": ("None of these", "どれでもない"),
    "marked_none": (
        "The photo is marked as none of these. The next fit of the recogniser counts it.",
        "写真を「どれでもない」として記録しました。次に認識器を作るときに使われます。",
    ),
    "is_right": ("This is right", "これが正しい"),
    "is_right_of": ("This is right: add the photo as {name}", "これが正しい：写真を{name}として追加"),
    "added": (
        "The photo was added as {name}. The answer below has learnt from it.",
        "写真を{name}として追加しました。下の答えはこの写真を学んだ結果です。",
    ),
    "was_there": ("The photo is there already as {name}.", "写真は{name}としてすでにあります。"),
    # map
    "map_title": ("Map of names and photos", "名前と写真の地図"),
    "map_lead": (
        "Similar items lie near each other. Choose a point, or an item of the list below, to see its neighbours.",
        "似たものは近くにあります。点を選ぶと近くのものが分かります。下の一覧からはキーボードでも選べます。",
    ),
    "map_run": ("Map", "地図"),
    "colour": ("Colour", "色"),
    "place_picture": ("Place a picture", "画像を置く"),
    "plot_title": ("Cloud", "点群"),
    "plot_note_2d": (
        "Draw around points to list them. Drop a picture here to see its place.",
        "点を囲むと一覧になります。画像をここにドロップすると位置が分かります。",
    ),
    "plot_note_3d": (
        "Drag to turn. Drop a picture here to see its place.",
        "ドラッグで回転します。画像をここにドロップすると位置が分かります。",
    ),
    "plot_label": (
        "Cloud of {count} points. The list below has the same items.",
        "{count}点の点群。下の一覧と同じ内容です。",
    ),
    "no_plot": (
        "The cloud needs Plotly on the server (pip install plotly) and WebGL in the browser. The lists need neither.",
        "点群の表示にはサーバーのPlotly（pip install plotly）とブラウザーのWebGLが必要です。一覧はそのまま使えます。",
    ),
    "no_maps": (
        "There is no map yet. Make one with: SELECT MeetUp2025.FitMap('Fish', 2)",
        "地図がまだありません。SELECT MeetUp2025.FitMap('Fish', 2) で作成できます。",
    ),
    "shortened": ("The first {count} of {total} items are shown.", "{total}件のうち最初の{count}件を表示しています。"),
    "near_title": ("Neighbours", "近くのもの"),
    "near_hint": ("Nothing is chosen yet.", "まだ何も選ばれていません。"),
    "near_of": ("Near {name}:", "{name}の近く："),
    "near_picture": ("Near your picture:", "画像の近く："),
    "your_picture": ("Your picture", "画像"),
    "placing": (
        "Finding the place. The first time takes half a minute …",
        "位置を計算中です。初回は30秒ほどかかります…",
    ),
    "placed_done": ("The picture is on the map.", "画像を地図に置きました。"),
    "placed": ("placed", "配置"),
    "list_title": ("List", "一覧"),
    "find": ("Find", "検索"),
    "show_all": ("Show all", "すべて表示"),
    "more": ("Show more", "さらに表示"),
    "listed": ("{count} of {total} items.", "{total}件中{count}件。"),
    "most_are": ("Most are {names}.", "多いもの：{names}。"),
    "odd_count": ("{count} are odd.", "外れているもの：{count}件。"),
    "odd": ("odd", "外れ"),
    "others": ("others", "その他"),
    "label": ("Label", "ラベル"),
    "source": ("Source", "ソース"),
    "distance": ("Distance", "距離"),
    "outlier_score": ("Outlier score", "外れ値スコア"),
    "Clusters": ("Clusters", "クラスター"),
    "Outliers": ("Outliers", "外れ値"),
    # runs
    "runs_title": ("Stored analyses", "保存されたラン"),
    "runs_lead": (
        "Each run is stored with its parameters and metrics. Choose two of one kind to compare them.",
        "ランはパラメーターと指標とともに保存されています。同じ種類のランを 2 つ選ぶと比べられます。",
    ),
    "run": ("Run", "ラン"),
    "other_run": ("Other run", "比べるラン"),
    "compare": ("Compare", "比べる"),
    "none": ("–", "–"),
    "all_runs": ("All runs", "すべてのラン"),
    "open_run": ("Open run {run}", "ラン {run} を開く"),
    "source_changed": ("The source has changed since this run.", "このランのあとにソースが変わりました。"),
    "kind": ("Kind", "種類"),
    "parameters": ("Parameters", "パラメーター"),
    "parameter": ("Parameter", "パラメーター"),
    "value": ("Value", "値"),
    "metrics": ("Metrics", "指標"),
    "metric": ("Metric", "指標"),
    "interval": ("95 %", "95 %"),
    "items": ("Items", "件数"),
    "seconds": ("Seconds", "秒"),
    "created": ("Created", "作成"),
    "asked": ("Asked", "回数"),
    "changes_title": ("Differences", "違い"),
    "moved": ("Moved", "移動"),
    "moved_most": ("Items that moved most", "最も動いたもの"),
    "cluster": ("Cluster", "クラスター"),
    "other_cluster": ("Other cluster", "比べるクラスター"),
}


def texts(language: str) -> dict[str, str]:
    """Return all texts in a language, `en` or `ja`."""
    index = ("en", "ja").index(language)
    return {key: each[index] for key, each in _TEXTS.items()}
