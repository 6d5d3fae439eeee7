"""A broken file is named with line and column before anything can be placed."""

import gzip

import pytest

from apps.orders.replay.reader import SalesFileError, read_rows

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
ROW = "536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"


@pytest.fixture
def written(tmp_path):
    def write(content, name="sales.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_reads_plain_and_gzipped_files_alike(written):
    plain = list(read_rows(written(HEADER + ROW)))
    packed = list(read_rows(written(gzip.compress((HEADER + ROW).encode()), "sales.csv.gz")))
    assert plain == packed
    assert plain[0]._asdict() | {"price": str(plain[0].price)} == {
        "line": 2,
        "invoice": "536365",
        "code": "85123A",
        "description": "HOLDER",
        "quantity": 6,
        "moment": "2010-12-01 08:26:00",
        "price": "2.55",
        "customer": 17850,
        "country": "United Kingdom",
    }


def test_columns_may_stand_in_any_order_beside_others_and_behind_a_byte_order_mark(written):
    content = (
        "\ufeffCountry,Note,UnitPrice,CustomerID,InvoiceDate,Quantity,Description,StockCode,InvoiceNo\n"
        'EIRE,"a, b",1.00,,2010-12-01 08:26:00,-2,Cup,22 ,C1\n\n'
    )
    [row] = read_rows(written(content))
    assert (row.invoice, row.code, row.quantity, row.customer, row.country) == (
        "C1",
        "22",
        -2,
        None,
        "EIRE",
    )


def test_a_row_with_line_breaks_is_named_by_its_last_line(written):
    wide = ROW.replace("HOLDER", '"HOLDER\nOF HEARTS"')
    with pytest.raises(SalesFileError, match=r"sales\.csv, line 4, column Quantity: 'six' is no"):
        list(read_rows(written(HEADER + wide + ROW.replace(",6,", ",six,"))))


def test_only_the_first_trading_days_are_read(written):
    days = [ROW.replace("2010-12-01", day) for day in ("2010-12-01", "2010-12-03", "2010-12-06")]
    path = written(HEADER + days[0] * 2 + days[1] + days[0] + days[2] + "broken\n")
    rows = list(read_rows(path, limit_days=2))
    assert [row.day[-2:] for row in rows] == ["01", "01", "03", "01"]


@pytest.mark.parametrize(
    ("column", "bad", "problem"),
    [
        ("InvoiceNo", "", "'' is no invoice number"),
        ("StockCode", "  ", "'  ' is no stock code"),
        ("StockCode", "x" * 33, "is no stock code"),
        ("Description", b"\xa3", "is not UTF-8 text"),
        ("Quantity", "6.5", "'6.5' is no whole number"),
        ("Quantity", "9" * 5000, "is no whole number"),
        ("Quantity", "1000001", "1000001 is beyond 1,000,000 pieces"),
        ("InvoiceDate", "2010-12-01", "is no date and time like 2010-12-01 08:26:00"),
        ("InvoiceDate", "12/1/2010 8:26", "is no date and time like 2010-12-01 08:26:00"),
        ("UnitPrice", "two", "'two' is no number"),
        ("UnitPrice", "NaN", "'NaN' is no price"),
        ("UnitPrice", "1E9", "'1E9' is no price"),
        ("CustomerID", "17850.5", "'17850.5' is no customer number"),
        ("CustomerID", "guest", "'guest' is no customer number"),
    ],
)
def test_a_broken_field_is_named(written, column, bad, problem):
    cells = ROW.encode().rstrip().split(b",")
    cells[HEADER.strip().split(",").index(column)] = bad if type(bad) is bytes else bad.encode()
    path = written(HEADER.encode() + ROW.encode() + b",".join(cells))
    with pytest.raises(SalesFileError) as caught:
        list(read_rows(path))
    assert (caught.value.line, caught.value.column) == (3, column)
    assert str(caught.value).startswith(f"{path}, line 3, column {column}: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "sales.csv: is empty"),
        ("\n", "sales.csv: is empty"),
        (HEADER, "sales.csv: has no rows"),
        (HEADER.replace("Quantity,", "") + ROW, "line 1, column Quantity: the column is missing"),
        (HEADER.replace("Country", "Quantity") + ROW, "column Quantity: the column is twice in"),
        (HEADER + ROW + "536365,85123A\n", "line 3: has 2 fields where the header has 8"),
        (HEADER + ROW + '1,"open', "line 3: cannot be read: unexpected end of data"),
    ],
)
def test_a_broken_file_is_named(written, content, problem):
    with pytest.raises(SalesFileError) as caught:
        list(read_rows(written(content)))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HEADER.encode() + ROW.encode(), "cannot be read: Not a gzipped file"),
        (b"", "is empty"),
        (gzip.compress(HEADER.encode() + ROW.encode() * 99)[:-20], "cannot be read: "),
    ],
)
def test_a_broken_archive_is_named(written, content, problem):
    with pytest.raises(SalesFileError, match=problem) as caught:
        list(read_rows(written(content, "sales.csv.gz")))
    assert "sales.csv.gz" in str(caught.value)


def test_other_files_and_missing_ones_are_refused(written, tmp_path):
    with pytest.raises(SalesFileError, match=r"sales\.xlsx: is neither \.csv nor \.csv\.gz"):
        list(read_rows(written(HEADER, "sales.xlsx")))
    with pytest.raises(SalesFileError, match=r"absent\.csv: cannot be read: No such file"):
        list(read_rows(tmp_path / "absent.csv"))
