"""Tables in the encodings in which spreadsheets save them."""

from pathlib import Path

import pytest

from clipdemo.tables.label_table import read_label_table


def assert_read_as(encoding: str, captions: list[str], path: Path) -> None:
    """A table in this encoding has these captions, and the account says so."""
    lines = ["ImageID;Labels;Caption", *(f"{n}.jpg;1;{c}" for n, c in enumerate(captions))]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    table = read_label_table(path)
    assert table.frame["Caption"].tolist() == captions
    assert table.account.read_as["encoding"] == encoding


def test_lines_in_two_encodings_are_each_read_in_their_own(tmp_path):
    lines = ["ImageID,Labels,Caption\n", "1.jpg,1,Zoë\n", "2.jpg,1,café\n"]
    content = b"".join([lines[0].encode(), lines[1].encode(), lines[2].encode("cp1252")])
    (tmp_path / "mixed.csv").write_bytes(content)
    table = read_label_table(tmp_path / "mixed.csv")
    assert table.frame["Caption"].tolist() == ["Zoë", "café"]
    assert table.account.read_as["encoding"] == "cp1252"


@pytest.mark.parametrize(
    ("encoding", "captions"),
    [
        ("cp1252", ["ein Café in “São Paulo”", "it\u2019s a señor \u2013 with 5 €", "Straße"]),
        ("mac_roman", ["ein grüner Müllwagen", "un garçon à vélo", "zwei Vögel, “wie im Zoo”"]),
        ("cp850", ["ein grüner Müllwagen", "zwei Mädchen im Garten", "vier Bänke"]),
        ("cp1250", ["mały żółty pociąg", "ciężarówka stoi", "koń na łące"]),
        ("cp1250", ["kůň v poli", "vlak přijíždí do stanice", "dvě žluté květiny"]),
        ("cp1250", ["dječak u plavoj košulji", "kuća i žuti čamac"]),
        ("cp1250", ["egy nő piros esernyővel", "két kutya a füvön"]),
        ("cp1254", ["yeşil çay\u0131rda bir at", "bir kuş", "sokakta büyük bir köpek"]),
        ("cp1254", ["k\u0131rm\u0131z\u0131 bir \u00e7i\u00e7ek", "bir ağaç"]),
        ("cp852", ["mały żółty pociąg", "ciężarówka stoi", "koń na łące"]),
        ("cp1257", ["katė miega ant sofos", "šuo bėga parke", "trys žmonės"]),
        ("cp1257", ["kaķis guļ uz dīvāna", "trīs mašīnas", "sarkans autobuss pie jūras"]),
        ("cp1252", ["maður á götu", "hvítur þvottur"]),
        ("cp1252", ["la città è più bella lì", "però"]),
        ("cp1252", ["to brød og en blå båd", "små æbler"]),
        ("cp1252", ["dois cães e um avião", "pões maçã"]),
        ("cp1252", ["õu pühapäeval", "väike žürii"]),
    ],
)
def test_a_table_is_read_in_the_encoding_in_which_excel_saved_it(tmp_path, encoding, captions):
    """Excel for Mac, "CSV (MS-DOS)" and Excel in Central Europe each have their own."""
    assert_read_as(encoding, captions, tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("encoding", "captions"),
    [
        ("cp932", ["猫が寝ている", "公園を走る犬", "赤いバスと人々", "駅に着く電車"]),
        ("cp949", ["고양이가 자고 있다", "공원에서 달리는 개", "빨간 버스와 사람들"]),
        ("big5", ["一隻貓在睡覺", "狗在公園裡跑", "紅色的公車和人們", "騎腳踏車的女孩"]),
        ("cp874", ["แมวกำลังนอนหลับ", "สุนัขวิ่งในสวน", "รถบัสสีแดงและผู้คน"]),
        ("cp1251", ["Кошка спит на диване", "Собака бежит в парке", "Красный автобус"]),
        ("cp1253", ["Μια γάτα κοιμάται", "Ένας σκύλος τρέχει", "Κόκκινο λεωφορείο"]),  # noqa: RUF001
        ("cp1256", ["قطة نائمة على الأريكة", "كلب يركض في الحديقة", "حافلة حمراء وناس"]),
    ],
)
def test_so_is_one_in_another_script(tmp_path, encoding, captions):
    """Excel's "CSV" in Japan, Korea, Taiwan, Thailand, Russia, Greece and Egypt."""
    assert_read_as(encoding, captions, tmp_path / "t.csv")
