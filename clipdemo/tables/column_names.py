"""Names that columns have in the tables of people and tools, without spaces and marks."""

import re

USUAL = {
    "ImageID": ("image", "images", "filename", "file", "filepath", "imagepath", "imagename", "path",
                "photo", "img"),
    "Labels": ("label", "tags", "tag", "category", "categories", "class", "classes", "keywords",
               "choice", "choices", "objects"),
    "Caption": ("captions", "text", "description", "sentence"),
}  # fmt: skip
USUAL_PHOTOS = ("imageid", *USUAL["ImageID"])
FURTHER = {
    "ImageID": ("imagefile", "imagefilename", "imagefilepath", "imageurl", "imageuri", "imgname",
                "imgpath", "imgfile", "imgid", "fname", "photoname", "photoid", "filenames",
                "filepaths", "imagepaths", "sourceref", "imagegcsuri", "imageindex", "externalid",
                "url"),
    "Labels": ("classname", "classnames", "labelname", "labellist", "labelnames", "labelids",
               "categoryname", "categorynames", "tagname", "taglist", "displayname", "annotations",
               "annotation", "classificationannotation", "classificationannotations",
               "boundingboxannotations", "regions", "regionattributes", "taxonomy",
               "findinglabels"),
    "Caption": ("sentences", "captiontext", "imagecaption", "alttext"),
}  # fmt: skip
"""Names that are used if none of the usual ones is there."""
WEAK = (
    "keyword", "species", "subject", "subjects", "object", "target", "targets", "breed", "genre",
    "genres", "variable",
)  # fmt: skip
"""Labels if there are no columns of yes and no."""
VAGUE = {"subject", "subjects", "object", "target", "targets"}
"""Those of them that may also be something else, as a subject may be a patient."""
ONE = {
    "label", "class", "category", "choice", "classname", "categoryname", "labelname", "tag",
    "tagname", "keyword", "object", "displayname", "species", "breed", "target", "variable",
    "name", "labeltext", "labelstr", "labeldesc", "classtext", "categorytext",
}  # fmt: skip
"""Columns of labels that have one per row."""
NAMES = ("labelname", "labelnames", "classname", "classnames", "categoryname", "categorynames")
"""Names of labels, next to which other columns have their numbers."""
NAMING = {
    "name", "text", "str", "string", "desc", "label", "class", "category", "species", "breed",
    "tag",
}  # fmt: skip
"""Words in the names of columns that may have the names of numbered labels."""
OF_OTHERS = {
    "id", "ids", "count", "score", "confidence", "quality", "number", "url", "file", "image",
    "photo", "date", "time", "at", "by", "user", "annotator", "worker", "author", "owner",
    "photographer", "patient", "age", "sex", "gender", "site", "location", "place", "city",
    "country", "station", "camera", "model", "device", "lens", "view", "source", "license",
    "licence", "copyright", "set", "split", "status", "version", "hash", "note", "notes", "comment",
    "comments", "title", "description", "language",
}  # fmt: skip
"""Words in the names of columns that are about something else, such as label_id."""
LIKE_LABELS = re.compile(
    r"labels?|tags?|class|classes|category|categories|keywords?|species|subjects?|objects?|targets?"
    r"|breeds?|genres?"
)
"""Words in the names of columns that are probably labels."""
NO_LABELS = {
    "id", "index", "unnamed0", "confidence", "score", "regioncount", "regionid", "iscrowd",
    "difficult", "truncated", "occluded", "isoccluded", "istruncated", "isgroupof", "isdepiction",
    "isinside", "isvalid", "fold", "split", "subset", "dataset", "annotator", "annotationid",
    "createdat", "updatedat", "leadtime", "width", "height", "imagewidth", "imageheight", "area",
    "bboxx", "bboxy", "bboxwidth", "bboxheight", "xmin", "xmax", "ymin", "ymax", "unlabeled",
    "reviewed", "verified", "approve", "approved", "reject", "rejected", "favorite", "favourite",
    "istrain", "istest", "flash", "deleteflag", "rating", "count", "value", "suggestedbyuser",
    "islabelissue", "version", "featured", "photofeatured", "isfeatured", "starred", "flagged",
    "deleted", "isdeleted", "archived", "isarchived", "public", "ispublic", "published", "skipped",
    "isverified", "isreviewed", "wascancelled", "retired",
}  # fmt: skip
NO_COUNTS = {
    "n", "num", "no", "total", "year", "month", "week", "hour", "minute", "visit", "floor", "level",
    "grade", "stage", "rank", "rating", "stars", "likes", "views", "iso", "size", "width", "height",
    "length", "depth", "weight", "frame", "page", "up",
}  # fmt: skip
"""Words in the names of columns of small numbers that do not count the objects of a label."""
SCORES = (
    "labelconfidence", "labelscore", "confidence", "conf", "probability", "prob", "score", "value",
    "scores", "confidences", "probabilities", "probs",
)  # fmt: skip
"""Columns with the score of a row's label, the most exact first."""
VERDICTS = (
    "present", "ispresent", "answer", "relevant", "isrelevant", "correct", "iscorrect", "count",
)  # fmt: skip
"""Columns that say whether a row's label is true."""
FOLDERS = ("relativepath", "directory", "folder", "foldername", "dir", "imagefolder", "subfolder")
"""Columns with the folder of a photo, the most exact first."""
