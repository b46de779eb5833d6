"""Workbooks written by hand, cell by cell, as spreadsheets write them, or as nobody should."""

import io
import zipfile
from collections.abc import Sequence

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
#: The style of a cell that holds a date.
DATE = "1"


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def number(value: object, style: str = "0") -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


def formula(written: str, stored: str = "") -> str:
    return f"<c><f>{written}</f>{f'<v>{stored}</v>' if stored else ''}</c>"


def rows(*lines: Sequence[str]) -> str:
    return "".join(f'<row r="{at}">{"".join(cells)}</row>' for at, cells in enumerate(lines, 1))


def xlsx(*sheets: str) -> bytes:
    """A workbook of sheets, each the XML of its rows."""
    every = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r" Type="{_OFFICE}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="S{at}" sheetId="{at}" r:id="r{at}"/>' for at in every)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="s" '
        f'Type="{_OFFICE}/styles" Target="styles.xml"/>'
        + "".join(
            f'<Relationship Id="r{at}" Type="{_OFFICE}/worksheet" Target="worksheets/s{at}.xml"/>'
            for at in every
        )
        + "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for at, sheet in enumerate(sheets, 1):
        data = f'<worksheet xmlns="{_MAIN}"><sheetData>{sheet}</sheetData></worksheet>'
        parts[f"xl/worksheets/s{at}.xml"] = data
    return packed({name: _HEAD + part for name, part in parts.items()})


def ods(*lines: Sequence[str]) -> bytes:
    """A sheet of OpenDocument; each cell its XML."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    table = "".join(f"<table:table-row>{''.join(cells)}</table:table-row>" for cells in lines)
    content = (
        f'{_HEAD}<office:document-content xmlns:office="{office}:office:1.0" xmlns:table="{office}:'
        f'table:1.0" xmlns:text="{office}:text:1.0"><office:body><office:spreadsheet><table:table '
        f'table:name="S">{table}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'{_HEAD}<manifest:manifest xmlns:manifest="{office}:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return packed({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def ods_text(value: str) -> str:
    return (
        f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    )


def ods_cell(kind: str, value: str) -> str:
    name = "date-value" if kind == "date" else "value"
    return f'<table:table-cell office:value-type="{kind}" office:{name}="{value}"/>'


def packed(parts: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue()
