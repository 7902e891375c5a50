#!/usr/bin/env python3
"""Writes cases.json: INI texts, what Python's configparser makes of them, and what az's edits do.

Run with Python 3.11 or later, from anywhere; `src/settings/ini/tests.rs` reads the result.
"""

import configparser
import io
import json
import pathlib

# Text, then edits to try on it one by one (not one after the other).
CASES = {
    "empty": ("", [("set", "core", "output", "json"), ("unset", "core", "output"), ("drop", "core")]),
    "first-run": (
        "[cloud]\nname = AzureCloud\n\n",
        [
            ("set", "cloud", "name", "AzureChinaCloud"),
            ("set", "cloud", "NAME", "upper-cased option"),
            ("set", "cloud", "other", "x"),
            ("set", "core", "output", "table"),
            ("set", "Cloud", "name", "case-sensitive section"),
            ("unset", "cloud", "name"),
            ("unset", "cloud", "NAME"),
            ("unset", "cloud", "nope"),
            ("unset", "nope", "name"),
            ("drop", "cloud"),
            ("drop", "nope"),
        ],
    ),
    "two-sections": (
        "[cloud]\nname = AzureCloud\n\n[core]\noutput = json\nno_color = true\n\n[defaults]\n\n",
        [
            ("set", "cloud", "x", "1"),
            ("set", "core", "output", ""),
            ("set", "core", "zz", "a = b : c # d ; e"),
            ("set", "defaults", "group", "rg"),
            ("unset", "core", "output"),
            ("unset", "core", "no_color"),
            ("drop", "cloud"),
            ("drop", "core"),
            ("drop", "defaults"),
        ],
    ),
    "percent-values": (
        "[a]\nx = 1\n\n",
        [
            ("set", "a", "p", "50%"),
            ("set", "a", "p", "50%%"),
            ("set", "a", "p", "%"),
            ("set", "a", "p", "%%%"),
            ("set", "a", "p", "100%% of 5%"),
            ("set", "a", "p", "%(x)s"),
            ("set", "a", "p", "%(X)s and %(x)s"),
            ("set", "a", "p", "%(nope)s"),
            ("set", "a", "p", "%(p)s"),
            ("set", "a", "p", "%(x)d"),
            ("set", "a", "p", "%()s"),
            ("set", "a", "p", "https://x/?a=%20%2F"),
            ("set", "a", "x", "%(x)s"),
        ],
    ),
    "odd-values": (
        "[a]\nx = 1\ny = 2\n\n[b]\nz = 3\n\n",
        [
            ("set", "a", "x", "  spaces around  "),
            ("set", "a", "x", "two\nlines"),
            ("set", "a", "x", "\nfirst line empty"),
            ("set", "a", "x", "gap\n\nbetween"),
            ("set", "a", "x", "line end\n"),
            ("set", "a", "x", "windows\r\nlines"),
            ("set", "a", "x", "mac\rlines"),
            ("set", "a", "x", "a\n# lost as a comment"),
            ("set", "a", "x", "a\n; lost as a comment"),
            ("set", "a", "x", "a\n[b]"),
            ("set", "a", "x", "a\nq = w"),
            ("set", "a", "x", "# not a comment"),
            ("set", "a", "x", "; not a comment"),
            ("set", "a", "x", "'quoted' \"text\""),
            ("set", "a", "x", "ünïcödé 日本語 😀"),
            ("set", "a", "x", "= ="),
            ("set", "a", "x", "\ttab\t"),
        ],
    ),
    "odd-names": (
        "[a]\nx = 1\n\n",
        [
            ("set", "a", "with space", "v"),
            ("set", "a", "with:colon", "v"),
            ("set", "a", "with=equals", "v"),
            ("set", "a", "#hash", "v"),
            ("set", "a", ";semicolon", "v"),
            ("set", "a", "[bracket]", "v"),
            ("set", "a", " leading", "v"),
            ("set", "a", "trailing ", "v"),
            ("set", "a", "", "v"),
            ("set", "a", "line\nbreak", "v"),
            ("set", "a", "ÄÖ", "v"),
            ("set", "a]b", "x", "v"),
            ("set", "a b", "x", "v"),
            ("set", "a.b", "x", "v"),
            ("set", "line\nbreak", "x", "v"),
            ("set", "tail]", "x", "v"),
        ],
    ),
    "multi-line-az": (
        "[a]\nlist = one\n\ttwo\n\t\n\tthree\nnext = 4\n\n",
        [
            ("set", "a", "list", "short"),
            ("set", "a", "next", "five\nsix"),
            ("set", "a", "new", "x"),
            ("unset", "a", "list"),
            ("unset", "a", "next"),
        ],
    ),
    "defaults-az": (
        "[DEFAULT]\nbase = /b\n\n[a]\npath = %(base)s/a\n\n[b]\nbase = /c\npath = %(base)s/b\n\n",
        [
            ("set", "a", "base", "/own"),
            ("set", "b", "path", "x"),
            ("unset", "b", "base"),
            ("unset", "a", "base"),
            ("drop", "b"),
        ],
    ),
    "clouds-config": (
        "[AzureCloud]\nsubscription = 00000000-0000-0000-0000-000000000001\n\n"
        "[Stack]\nprofile = latest\nendpoint_resource_manager = https://management.local.azurestack.external\n"
        "endpoint_active_directory = https://adfs.local.azurestack.external/adfs\nsuffix_storage_endpoint = local\n\n",
        [
            ("set", "AzureCloud", "subscription", "00000000-0000-0000-0000-000000000002"),
            ("set", "AzureChinaCloud", "subscription", "x"),
            ("set", "Stack", "subscription", "x"),
            ("drop", "Stack"),
            ("drop", "AzureCloud"),
        ],
    ),
    # What people write by hand: values are compared, not bytes.
    "comments": (
        "# top\n; also\n[a]\n# about x\nx = 1\n\n; about y\ny = 2\n# end\n[b]\n  # indented\nz=3\n# last\n",
        [
            ("set", "a", "x", "9"),
            ("set", "a", "new", "n"),
            ("set", "b", "new", "n"),
            ("set", "c", "new", "n"),
            ("unset", "a", "x"),
            ("unset", "b", "z"),
            ("drop", "a"),
            ("drop", "b"),
        ],
    ),
    "comment-in-value": (
        "[a]\nx = 1\n  2\n  # inside\n  3\n# outside\n  4\ny = 5\n",
        [("set", "a", "x", "9"), ("unset", "a", "x"), ("set", "a", "y", "6")],
    ),
    "no-final-newline": (
        "[a]\nx = 1",
        [("set", "a", "x", "2"), ("set", "a", "y", "2"), ("set", "b", "y", "2"), ("unset", "a", "x")],
    ),
    "header-only-no-newline": ("[a]", [("set", "a", "x", "2"), ("set", "b", "y", "2"), ("drop", "a")]),
    "crlf": (
        "[a]\r\nx = 1\r\n\r\n[b]\r\ny = 2\r\n",
        [("set", "a", "x", "9\n8"), ("set", "a", "z", "9"), ("set", "c", "z", "9"), ("unset", "b", "y")],
    ),
    "lone-cr": ("[a]\rx = 1\ry = 2\r", [("set", "a", "x", "9"), ("set", "a", "z", "9")]),
    "mixed-line-ends": ("[a]\nx = 1\r\ny = 2\rz = 3\n", [("set", "a", "y", "9")]),
    "colon": ("[a]\nx: 1\ny : 2\nurl = https://h:8443/p\nz:=3\nw=:4\n", [("set", "a", "x", "9")]),
    "no-spaces": ("[a]\nx=1\ny  =  2\nz =3\n", [("set", "a", "y", "9"), ("set", "a", "n", "9")]),
    "empty-values": ("[a]\nx =\ny = \nz:\n", [("set", "a", "x", "1"), ("unset", "a", "y")]),
    "upper-case": ("[A]\nKey = V\n[a]\nKEY = W\n", [("set", "A", "kEy", "X"), ("unset", "a", "key")]),
    "inline-comment-is-value": ("[a]\nx = 1 ; no comment\ny = 2 # no comment\n", []),
    "hash-in-name": ("[a]\nx#y = 1\n", [("set", "a", "x#y", "2")]),
    "spaces-in-name": ("[a]\nmy  key = 1\n", [("set", "a", "my  key", "2")]),
    "header-with-tail": ("[a] ; tail\nx = 1\n[b]tail\ny = 2\n", [("set", "a", "n", "1")]),
    "header-with-brackets": ("[a]b]\nx = 1\n[[c]]\ny = 2\n[]]\nz = 3\n", [("set", "a]b", "n", "1")]),
    "header-with-spaces": ("[ a ]\nx = 1\n[a]\nx = 2\n", [("set", " a ", "x", "3"), ("set", "a", "x", "3")]),
    "indented-header": (
        "  [a]\n  x = 1\n  y = 2\n  [b]\n  z = 3\n",
        [("set", "a", "x", "9"), ("set", "a", "n", "9"), ("unset", "a", "y"), ("drop", "a")],
    ),
    "header-swallowed-by-value": ("[a]\nx = 1\n  [b]\n  y = 2\n", [("set", "a", "x", "9")]),
    "deeper-header-after-empty-section": (
        "[a]\n  [b]\nz = 1\n",
        [("set", "a", "n", "1"), ("drop", "a")],
    ),
    "drop-would-swallow-neighbour": ("[a]\nx = 1\n[b]\n  [c]\nz = 1\n", [("drop", "b"), ("set", "b", "n", "1")]),
    "indentation-falls": ("[a]\n    x = 1\n  y = 2\nz = 3\n", [("set", "a", "y", "9"), ("unset", "a", "y")]),
    "indentation-rises-at-start": ("[a]\n    x = 1\n        more\n", [("set", "a", "n", "9")]),
    "tab-indent": ("[a]\nx = 1\n\tmore\n\t\tdeeper\n", [("set", "a", "x", "9\n8")]),
    "empty-lines-in-value": ("[a]\nx = 1\n\n\n  more\n\n\ny = 2\n\n\n", [("unset", "a", "x"), ("set", "a", "n", "1")]),
    "value-starts-on-next-line": ("[a]\nx =\n  one\n  two\n", [("set", "a", "x", "9")]),
    "continuation-looks-like-option": ("[a]\nx = 1\n  y = 2\n", [("set", "a", "y", "3")]),
    "whitespace-only-lines": ("[a]\nx = 1\n   \n\t\ny = 2\n", [("set", "a", "n", "1")]),
    "form-feed": ("[a]\nx = 1\n\x0c\ny = 2\n", []),
    "separators-strip": ("[a]\nx = \x1c1\x1f\ny =\u00a02\u3000\n", []),
    "unicode-line-separators-do-not-split": ("[a]\nx = 1\u2028y = 2\n", []),
    "next-line-character": ("[a]\nx = 1\u0085y = 2\n", []),
    "nbsp-indents": ("[a]\nx = 1\n\u00a0more\n", []),
    "unicode-names": ("[Ünï]\nSCHLÜSSEL = wért 日本\nΣΑΣ = s\n", [("set", "Ünï", "schlüssel", "neu")]),
    "nul-in-value": ("[a]\nx = a\x00b\n", []),
    "defaults": (
        "[DEFAULT]\nshared = s\nboth = d\n[a]\nboth = own\nx = %(shared)s-%(both)s\n[empty]\n",
        [("set", "a", "shared", "mine"), ("unset", "a", "both"), ("unset", "empty", "shared")],
    ),
    "defaults-twice": ("[DEFAULT]\na = 1\n[s]\nx = %(a)s%(b)s\n[DEFAULT]\nb = 2\n", [("set", "s", "a", "3")]),
    "defaults-last": ("[s]\nx = %(a)s\n\n[DEFAULT]\na = 1\n", [("set", "s", "y", "3")]),
    "default-lower-case-is-plain": ("[default]\na = 1\n[s]\nb = 2\n", []),
    "defaults-only": ("[DEFAULT]\na = 1\n", []),
    "interpolation": ("[a]\nx = 1\ny = <%(x)s>\nz = %(y)s%%%(Y)s\n", [("set", "a", "x", "2")]),
    "interpolation-percent": ("[a]\nx = 100%%\ny = %%(x)s\nz = %%%%\n", []),
    "interpolation-missing": ("[a]\nx = %(nope)s\ny = 1\n", [("set", "a", "y", "2")]),
    "interpolation-other-section": ("[a]\nx = %(y)s\n[b]\ny = 1\n", []),
    "interpolation-loop": ("[a]\nx = %(y)s\ny = %(x)s\n", []),
    "interpolation-self": ("[a]\nx = %(x)s\n", []),
    "interpolation-depth-10": (
        "[a]\nv0 = leaf\n" + "".join(f"v{i} = %(v{i - 1})s\n" for i in range(1, 11)),
        [],
    ),
    "interpolation-depth-11": (
        "[a]\nv0 = leaf\n" + "".join(f"v{i} = %(v{i - 1})s\n" for i in range(1, 13)),
        [],
    ),
    "interpolation-depth-percent-leaf": (
        "[a]\nv0 = 1%%\n" + "".join(f"v{i} = %(v{i - 1})s\n" for i in range(1, 12)),
        [],
    ),
    "interpolation-bad": ("[a]\nx = 5%\ny = %d\nz = %(a\nw = %(x)d\nv = %()s\nok = 1\n", [("set", "a", "ok", "2")]),
    "interpolation-across-lines": ("[a]\nx = 1\ny = %(\n  x)s\nz = 2\n  %(x)s\n", []),
    "interpolation-of-indented-name": ("[a]\nx y = 1\nz = %(x y)s %(X Y)s\n", []),
    "blank-file": ("\n\n  \n\t\n", [("set", "a", "x", "1")]),
    "comments-only": ("# nothing\n; here\n", [("set", "a", "x", "1")]),
    "comment-before-header-indented": ("  # c\n[a]\nx = 1\n", []),
    # Errors.
    "no-header": ("x = 1\n", [("set", "a", "x", "1")]),
    "no-header-late": ("# c\n\n\nx = 1\n[a]\n", []),
    "json-instead": ('{"a": 1}\n', []),
    "duplicate-section": ("[a]\nx = 1\n[b]\n[a]\ny = 2\n", []),
    "duplicate-option": ("[a]\nx = 1\ny = 2\nx = 3\n", []),
    "duplicate-option-by-case": ("[a]\nkey = 1\nKEY = 2\n", []),
    "duplicate-option-in-defaults": ("[DEFAULT]\na = 1\n[s]\n[DEFAULT]\na = 2\n", []),
    "same-option-in-two-sections": ("[a]\nx = 1\n[b]\nx = 2\n", []),
    "no-delimiter": ("[a]\nx = 1\njust words\n", []),
    "no-delimiter-after-header": ("[a]\n    words\n", []),
    "no-name": ("[a]\n= 1\n", []),
    "no-name-colon": ("[a]\n : 1\n", []),
    "empty-header": ("[]\nx = 1\n", []),
    "empty-header-inside": ("[a]\n[]\n", []),
    "unclosed-header": ("[a]\nx = 1\n[b\ny = 2\n", []),
    "nul-bytes": ("\x00\x00\x00\x00", []),
}


def parsed(text):
    parser = configparser.ConfigParser()
    # As a file: universal newlines.
    parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"), "x")
    return parser


def written(parser):
    out = io.StringIO()
    parser.write(out)
    return out.getvalue()


def contents(parser):
    """Section to list of (option, value); None for a value that cannot be interpolated."""
    result = {}
    for section in parser.sections():
        items = []
        for name, _ in parser.items(section, raw=True):
            try:
                items.append([name, parser.get(section, name)])
            except configparser.InterpolationError:
                items.append([name, None])
        result[section] = items
    return result


def raw(parser):
    sections = {name: dict(parser._sections[name]) for name in parser.sections()}
    return {"DEFAULT": dict(parser.defaults()), **sections}


def store(text, section, option, value):
    """What knack's `_ConfigFile.set_value` does."""
    parser = parsed(text)
    if not parser.has_section(section):
        parser.add_section(section)
    parser.set(section, option, value)
    parser.get(section, option)  # az would crash here at the next reading
    return parser


def as_read(value):
    return "\n".join(line.strip() for line in value.split("\n")).rstrip()


def edited(text, edit):
    """The text az leaves and what it reads back, or None where that loses something."""
    verb, section, *rest = edit
    parser = parsed(text)
    if verb == "drop":
        parser.remove_section(section)
    elif verb == "unset":
        try:
            parser.remove_option(section, rest[0])
        except configparser.NoSectionError:
            pass
    else:
        option, value = rest
        # A carriage return would end the line when read: az breaks its file there.
        value = value.replace("\r\n", "\n").replace("\r", "\n")
        try:
            parser = store(text, section, option, value)
        except (ValueError, configparser.InterpolationError):
            value = value.replace("%", "%%")
            parser = store(text, section, option, value)
        wanted = raw(parser)
        wanted[section][option.lower()] = as_read(value)
    new = written(parser)
    try:
        again = parsed(new)
    except configparser.Error:
        return None
    if verb == "set" and raw(again) != wanted:
        return None
    return {"text": new, "sections": contents(again)}


def case(name, text, edits):
    result = {"name": name, "text": text}
    try:
        parser = parsed(text)
    except configparser.ParsingError as error:
        return {**result, "error_line": error.lineno if hasattr(error, "lineno") else error.errors[0][0]}
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        return {**result, "error_line": error.lineno}
    # Whether az wrote it: then bytes are compared after an edit.
    result["az"] = written(parser) == text
    result["sections"] = contents(parser)
    result["edits"] = [{"edit": list(edit), "result": edited(text, edit)} for edit in edits]
    return result


def main():
    cases = [case(name, text, edits) for name, (text, edits) in CASES.items()]
    path = pathlib.Path(__file__).parent / "cases.json"
    path.write_text(json.dumps(cases, indent=1, ensure_ascii=True) + "\n")
    edits = sum(len(case.get("edits", [])) for case in cases)
    print(f"{len(cases)} texts, {edits} edits")


main()
