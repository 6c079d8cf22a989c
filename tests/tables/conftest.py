"""Fixtures for tests of tables in JSON."""

import json

import pytest

from clipdemo.tables.label_table import read_label_table


@pytest.fixture
def read_labels(tmp_path):
    """Gives the labels of each photo in a JSON file, and the account."""

    def read(content, labels=None, name="t.json", **options):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        table = read_label_table(path, labels, **options)
        names = dict(zip(table.labels.ids, table.labels.names, strict=True))
        photos = table.frame["ImageID"].str.rpartition("/")[2]
        found = zip(photos, table.frame["Labels"], strict=True)
        return {n: {names[i] for i in ids} for n, ids in found}, table.account.to_dict()

    return read
