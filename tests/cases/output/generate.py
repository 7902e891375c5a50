#!/usr/bin/env python3
"""Writes the expected bytes of every output format, as az's own libraries print them.

Needs what azure-cli-core 2.91.0 installs, on Python 3.11:

    pip install knack==0.14.0 PyYAML==6.0.3 tabulate==0.10.0 jmespath==1.1.0 pygments==2.21.0

    generate.py                  write the case files next to this script
    generate.py random SEED N    write N random cases to stdout instead

A file lists answers of a command, each a `value` (in the command's order of keys) with its `cases`. A case has a
`format`, perhaps a `query`, `columns` (the keys that the command's table shows) and `colour`; and one of `stdout`, `error` (the message, exit code 1),
`traceback` (where az dies of a Python error with this text) and `usage` (the message, exit code 2).
"""

import json
import random
import re
import sys
from collections import OrderedDict
from pathlib import Path

from jmespath import Options
from jmespath.exceptions import JMESPathError
from knack.output import OutputProducer
from knack.query import CLIQuery
from knack.util import CommandResultItem

HERE = Path(__file__).parent
FORMATS = ["json", "yaml", "table", "tsv"]


def holds_expression(result):
    if isinstance(result, dict):
        return any(map(holds_expression, result.values()))
    if isinstance(result, list):
        return any(map(holds_expression, result))
    return type(result).__name__ == "_Expression"


def run(value, fmt, query=None, columns=None, colour=False):
    """One case, with what az does about it."""
    case = {"value": value, "format": fmt}
    if query is not None:
        case["query"] = query
    if columns is not None:
        case["columns"] = columns
    if colour:
        case["colour"] = True
    # No object stands in an answer twice: az copies it piece by piece.
    result = json.loads(json.dumps(value))
    if query is not None:
        try:
            compiled = CLIQuery.jmespath_type(query)
        except ValueError:
            # argparse words this one
            case["usage"] = f"argument --query: invalid jmespath_type value: {query!r}"
            return case
        try:
            result = compiled.search(result, Options(OrderedDict))
        except JMESPathError as error:
            # Python gives the address of an expression as well.
            reason = re.sub(r" object at 0x[0-9a-f]+>", " object>", str(error))
            case["error"] = f"Invalid jmespath query supplied for `--query`: {reason}"
            return case
        except (TypeError, ValueError, OverflowError) as error:
            case["traceback"] = str(error)
            return case
    if holds_expression(result):
        # In table and tsv az prints its address.
        case["traceback"] = "Object of type _Expression is not JSON serializable"
        return case
    transformer = None
    if columns is not None:
        def transformer(answer):
            rows = answer if isinstance(answer, list) else [answer]
            return [OrderedDict((key, row[key]) for key in columns if key in row) for row in rows]
    name = fmt if colour or fmt not in ("jsonc", "yamlc") else fmt[:-1]
    item = CommandResultItem(result, table_transformer=transformer, is_query_active=query is not None)
    try:
        case["stdout"] = "" if result is None else OutputProducer._FORMAT_DICT[name](item)
    except TypeError as error:
        case["traceback"] = str(error)
    return case


SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
TENANT = "55555555-6666-7777-8888-999999999999"
ACCOUNT = {
    "environmentName": "AzureCloud",
    "homeTenantId": TENANT,
    "id": SUBSCRIPTION,
    "isDefault": True,
    "managedByTenants": [{"tenantId": TENANT}],
    "name": "Pay-As-You-Go",
    "state": "Enabled",
    "tenantDefaultDomain": "contoso.example",
    "tenantDisplayName": "Contoso Ü",
    "tenantId": TENANT,
    "user": {"name": "john@contoso.example", "type": "user"},
}
OTHER = dict(ACCOUNT, id=SUBSCRIPTION.replace("0", "a"), isDefault=False, name="Dev/Test 開発", managedByTenants=[])
MINIMAL = {"cloudName": "AzureCloud", "id": TENANT, "isDefault": False, "name": "N/A(tenant level account)",
           "state": "Enabled", "tenantId": TENANT, "user": {"name": SUBSCRIPTION, "type": "servicePrincipal"}}
ACCOUNTS = [ACCOUNT, OTHER, MINIMAL]
TOKEN = {
    "accessToken": "eyJ0eXAiOiJKV1QifQ." + "QUJD" * 60 + ".c2ln_-",
    "expiresOn": "2031-02-03 04:05:06.000000",
    "expires_on": 1927857906,
    "subscription": SUBSCRIPTION,
    "tenant": TENANT,
    "tokenType": "Bearer",
}
VERSION = {"azure-cli": "2.91.0", "azure-cli-core": "2.91.0", "azure-cli-telemetry": "1.1.0", "extensions": {}}
CLOUD = {
    "endpoints": {"activeDirectory": "https://login.microsoftonline.com", "gallery": None, "portal": ""},
    "isActive": True,
    "name": "AzureCloud",
    "profile": "latest",
    "suffixes": {"storageEndpoint": "core.windows.net", "acr": "azurecr.io", "Upper": 1, "zone": None},
}
LOCATIONS = [
    {"displayName": "West Europe", "name": "westeurope", "regionalDisplayName": "(Europe) West Europe",
     "metadata": {"latitude": "52.3667", "pairedRegion": [{"name": "northeurope"}]}, "id": "/subscriptions/1"},
    {"displayName": "East US", "name": "eastus", "regionalDisplayName": "(US) East US", "type": "Region"},
    {"name": "nowhere", "metadata": {}, "etag": "e", "Extra": "only here"},
]
CONFIG = [{"name": "output", "source": "/home/me/.azure/config", "value": "table"},
          {"name": "no_color", "source": "AZURE_CORE_NO_COLOR", "value": "true"}]

ANSWERS = [ACCOUNT, ACCOUNTS, [MINIMAL], TOKEN, VERSION, CLOUD, [CLOUD], LOCATIONS, CONFIG, ["latest"]]

SHAPES = [
    None, True, False, 0, 1, -1, 42, 2**31, 2**63 - 1, -2**63, 2**64 - 1, 0.0, 1.0, -1.5, 0.1, 1e5, 1e15, 1e16, 1e20,
    123456789012345680.0, 1e-4, 1e-5, 1.5e-7, 5e-324, 1.7976931348623157e308, 3.141592653589793, "", "x", " ", "a b",
    [], {}, [[]], [{}], {"a": []}, {"a": {}}, {"a": None}, [None], [None, None], [True, False], [1, 2.5, "x", None],
    [[], {}, None, ""], [[1, 2], [3]], [[1, [2, 3]], {"a": 1}], [{"a": 1}, {"b": 2}, {"a": 3, "b": 4}],
    [{"a": 1}, "text", 5, None, True, [1, 2]], {"b": 1, "a": 2, "C": 3, "_": 4, "é": 5, "aa": 6},
    {"a": {"c": {"e": [1, {"g": [2, [3]]}]}}}, [[["deep"]]], [[[]], [{}], {"x": [[], {}]}],
    {"": "empty key", " ": "space key"}, {"type": "t", "id": "i", "etag": "e"}, {"Type": "t", "Id": "i", "ID": "j"},
    [{"id": 1}, {"etag": 2}], {"name": "low", "Name": "high"}, {"Name": "high", "name": "low", "nAme": None},
    {"ßtraße": 1, "ǆ": 2, "éa": 3, "1a": 4, "-": 5}, {"k": True, "l": False, "f": 1e20, "n": None, "i": 7},
    ["ü", "日本語", "🙂", "e\u0301"], {"日本語": "🙂", "b": "ü"}, ["a\tb", "c\nd", "e\r\nf", "tail\n", "\n", "\r"],
    {"a": "one\ntwo", "b": "x"}, [{"a": "one\ntwo\n\nfour", "b": "x"}, {"a": "", "b": "y\x0bz"}],
    [{"a": "", "b": "\n"}, {"a": "  padded  ", "b": "\u00a0nb\u00a0"}], {"two\nlines": 1, "b": "c"},
    [{"a": "\x00\x07\x08\x7f\x85\u2028\u2029\ufeff"}], ["\x1c", "\x1f x \x1f", "\u3000wide space\u3000"],
    ["\"", "'", "\\", "'\"", "a'b", 'a"b', "\\n"], [["it's", 'say "hi"', "both ' and \"", "\\", "\n\t\r\x00\x7f\xa0\xad"]],
    [[{"a": None, "b": [True, 1.5]}, "é\u200b\u2028\U0001f600\ue000"]],
]

YAML_SCALARS = [
    "yes", "Yes", "YES", "yEs", "no", "on", "off", "y", "n", "Y", "N", "true", "True", "tRue", "false", "null", "Null",
    "nULL", "~", "~a", "=", "==", "<<", "<", "!", "&", "*", "&a", "*a", "!a", "%a", "@a", "`a", "#a", "a#b", "a #b",
    "-", "- ", "-a", "- a", "--", "---", "---a", "--- a", "...", "....", ". ..", "?", "? a", "?a", ":", ": a", ":a",
    "a:", "a: b", "a:b", "a :b", "a ,b", ",a", "[a", "]a", "{a", "}a", "a]", "a{", "|", "|a", ">", ">a", "'a", "a'b", "'",
    "''", '"a', 'a"b', '"', "123", "+123", "-123", "0", "00", "007", "08", "0o7", "0x1F", "0x", "0xg", "0b101", "0b2",
    "1_000", "_1", "1__", "0_", "1:30", "1:60", "01:30", "1:30:59", "1:30.5", "-1:2:3.", "1:", "190:20:30.15", "1.5",
    "1.", ".5", "-.5", "+.5", "+1.5", ".", "..", "._", ".5_", "1e3", "1.5e3", "1.5e+3", "1.5E-3", "1.e+3", ".5e+3",
    ".5e3", "1e+3", ".inf", "-.inf", "+.INF", ".Inf", ".iNF", ".nan", "-.nan", ".NaN", ".NAN", "inf", "nan",
    "2020-01-01", "2020-1-1", "2020-1-01", "20-01-01", "2020-01-01T00:00:00Z", "2020-01-01 00:00:00",
    "2020-1-1 0:00:00", "2020-01-01t1:02:03.", "2020-01-01  00:00:00.5 +01:30", "2020-01-01 00:00:00 -5",
    "2020-01-01 00:00", "2020-01-01T00:00:00ZZ", "2020-01-01 00:00:00+1:30", "2020-01-01 00:00:00 +01:3", "1.2.3.4",
    "00000000-1111-2222-3333-444444444444", "2031-02-03 04:05:06.000000", "a\tb", "\ta", "a\t", "a\nb", "a\n", "\na",
    "a\n\nb", "\n", "\n\n", "a \nb", "a\n b", " a", "a ", "  ", "a  b", "a\r", "a\r\nb", "\x00", "\x07", "\x1b[0m",
    "\x7f", "\x85", "a\x85b", "\xa0", "\xa0a", "\xad", "\u2028", "a\u2028b", "a\u2029", "\ufeff", "a\ufeffb", "\ud7ff",
    "\ue000", "\ufffd", "\uffff", "\U0001f600", "\U0010fffd", "\U0010ffff", "é", "日本語", "a🙂 \tb", "\\", "a\\b",
    "\"\\\x00é🙂\u2028\xa0\x85", "#", " #", "a #", "key: value # comment", "C:\\Users\\x", "https://x/?a=b&c=d#e",
    "N/A(tenant level account)", "x" * 79, "x" * 200, "word " * 40, ("word " * 40).strip(), "two  spaces  " * 10 + "end",
    "x" * 78 + " yy", "x" * 79 + " yy", "x" * 80 + " yy zz", "x" * 81 + "  yy zz", "it's " * 30 + "end",
    "- " + "word " * 30 + "end", "tab\t" + "word " * 40 + "end", "\x00" * 60, "é\x00 " * 40 + "end",
    "\x01 " * 50 + " \x02", "a" * 79 + "\x01 b", "a" * 78 + "\x01  b c", "line one\n" * 3 + "x" * 90 + " y z\n",
    "word " * 20 + "\n" + "word " * 20 + "end", "\n" * 3 + "x", "x" + "\u2028" * 2 + "y" * 90 + " z", "'" * 100 + " a b",
    "🙂 " * 50 + "end", "a " * 45 + "\ufeff", "long 'quoted' # " * 10, "x: " * 40 + "y",
]

KEYS = ["", " ", "a", "yes", "null", "123", "1.5", "2020-01-01", "a: b", "#", "a\nb", "a\tb", "é", "🙂", "\x00", "- a",
        "?", "k" * 121, "k" * 122, "k" * 123, "k" * 124, "k" * 128, "k" * 200, "word " * 25 + "end", "é" * 122, "é" * 123,
        "x" * 90 + " y", "'" * 60, "\x01" * 40, "\x01 " * 40, "it's", '"', "a\u2028b", "long " * 30 + "end"]

QUERIES = [
    (ACCOUNTS, q) for q in [
        "[?isDefault].{Name:name,Id:id}", "[?isDefault].{Name:name,id:id,Tenant:tenantId,user:user}", "[].name",
        "[].name | sort(@)", "[?name==`foo`]", "[?name==`Pay-As-You-Go`].id", "[?name=='Pay-As-You-Go'].id | [0]",
        "[0].user.name", "length(@)", "[0]", "[-1].name", "[5]", "[-5]", "[0:2].name", "[::-1].name", "[::2].id", "[1:]",
        "[:-1].[name,id]", "[].[name,user.name,user,isDefault,managedByTenants]", "[].{z:name,a:id,m:isDefault}",
        "[].{z:name,a:{y:id,b:state}}", "[0].{z:name,a:id}", "[?isDefault]", "[?!isDefault].name", "[*].user.type",
        "[].user", "[].user | [0]", "[].managedByTenants[]", "[].managedByTenants[].tenantId", "[].managedByTenants",
        "[?contains(name,'Dev')].name", "[?starts_with(name, `Pay`)].name", "[?ends_with(id, '9')].name",
        "sort_by(@, &name)[].name", "reverse(sort_by(@, &name))[].name", "max_by(@, &name).name", "min_by(@, &id)",
        "[?state=='Enabled' && isDefault].name", "[?tenantDisplayName || isDefault].name", "[?user.type!='user'].id",
        "join(',', [].name)", "join(`,`, [].name)", "[].name | join(', ', @)", "keys([0])", "values([0])", "[0].*",
        "[*].*", "[0].user.*", "map(&name, @)", "map(&tenantDisplayName, @)", "[].tenantDisplayName", "to_string(@)",
        "to_string([0].user)", "[].{n:name} | [?n!='x']", "[0].[user,user]", "[].[user, name]", "[[0].user, [0].user]",
        "[@, @]", "[[], []]", "{a: @, b: @}", "[0].{a: user, b: user}", "[].[`{}`]", "[].[`[]`,`[]`]", "type(@)",
        "[].type(@)", "not_null([0].nope, [0].name)", "[].not_null(tenantDisplayName, name)", "[0].nope", "nope", "[].nope",
        "merge([0].user, {extra: 'x'})", "merge([0], [2])", "[].merge(user, {a: 'b'})", "{b: merge(@[0].user, {c: 'd'})}",
        "[?length(managedByTenants) > `0`].name", "[?length(managedByTenants) == 0].name", "@", "*", "[0].user | @",
        "[].{Name: name, \"Sub Id\": id}", "[].\"name\"", "[0].\"nope\" || 'default'", "[?name==\"name\"].id",
        "[].{a:'x', a:'y'}", "[].[{z: name, a: user}]", "[].[{z: name}, [name], `null`, `true`, `1.0`, user]",
        "[?isDefault==`true`].name", "[?isDefault=='true']", "[].to_array(name)", "[].reverse(name)", "reverse(@)[].name",
        "group_by(@, &name)", "nofunc()", "[].nofunc(@)", "length()", "length(@, @)", "not_null()", "length(`5`)",
        "sort(@)", "sort([].isDefault)", "sort_by(@, &isDefault)", "sort_by(@, &user)", "sort_by(@, name)", "max_by(@, &user)",
        "join(',', @)", "join(',', [].isDefault)", "join(@, ',')", "sum([].name)", "max([].user)", "keys(@)", "values(name)",
        "merge(@)", "merge()", "to_number([0].name)", "abs([0].name)", "contains(@, 'x')", "contains([0], 'x')",
        "contains([0].name, `5`)", "starts_with(name, 'x')", "starts_with([0].name, `1`)", "[0].user.name.deep", "[?name>`5`]",
        "[?`1` < 'a']", "[::0]", "[0].user[0]", "[].user[]", "[][]", "[[0].user][]", "&name", "[&name]", "{a: &name}", "bad[", "", " ", "[", "]", "foo.", ".a",
        "a b", "[?a", "{a}", "{a:}", "{}", "a[", "a.[", "'open", "\"open", "`open", "`\"bad`", "a = b", "a = = b", "-", "[-]",
        "a.'b'", "a.5", "[a:b]", "[0:1:2:3]", "[1 2]", "#", "a#b", "ä", "$", "foo(", "foo(a", "&", "|", "a |", "a ||", "!", "(a",
        "a)", "it's", "\"a\"(b)", "@(b)", "(name)(@)", "join(',' [].name)", "join(',', [].name,)", "{a:@[0].name b:@[1].name}",
        "[0][0:1].x", "[0:2][0].name", "[[0:1]]", "[].user.name[]", "@.[0]", "[*", "[?name].{n:name}.n", "[].{n:name}[].n",
        "[?a==b].name", "[? isDefault == `true` ].{ N : name }", "[].{ \"\": name }", "{a:`1`}.a", "[?@]", "! @", "!nope",
        "[].[name, !isDefault]", "a.b.c || 'x' && 'y'", "`foo` == 'foo'", "`[1,\"2\"]`", "`{\"b\":1,\"a\":{\"d\":1,\"c\":2}}`",
        "` foo`", "`foo bar `", "``", "`\\``", "'\\''", "'a\\nb'", "`a\\nb`", "\"na\\u006de\"", "[0].\"na\\u006de\"", "`NaN`", "`Infinity`",
        "[`-Infinity`]", "`1e5`", "`01`", "`1.0`", "`\"q\"`", "`'q'`", "`it's`", "`tr\\`ue`", "[`1`,`2.5`]", "`\u00e9`",
    ]
] + [
    (TOKEN, q) for q in ["accessToken", "{t:accessToken,e:expiresOn}", "[tokenType,accessToken]", "expires_on",
                         "expiresOn", "to_string(expires_on)", "[accessToken, expires_on]", "join(' ', [tokenType, accessToken])",
                         "keys(@)", "values(@)", "length(accessToken)", "starts_with(accessToken, 'ey')"]
] + [
    (CLOUD, q) for q in ["endpoints", "endpoints.activeDirectory", "suffixes", "suffixes.*", "suffixes | keys(@)",
                         "{suffixes:suffixes, name:name}", "[suffixes]", "[endpoints, suffixes]", "endpoints.portal",
                         "endpoints.gallery", "[endpoints.gallery]", "merge(suffixes, endpoints)", "values(suffixes)"]
] + [
    ({"n": [3, 1, 2, 2.5, -4], "s": ["b", "a", "É", "B", ""], "e": [], "f": -1.5, "i": 7, "m": [1, "a"], "t": True,
      "o": {"one": 1, "true": True}, "l": [[1], [True], [1.0]], "big": [9007199254740993, 1], "fl": [0.1, 0.2, 0.3],
      "d": [{"k": 1, "v": "a"}, {"k": 0.5, "v": "b"}, {"k": 1, "v": "c"}], "x": [{"k": 1}, {"k": "a"}], "q": "it's \"x\""}, q)
    for q in ["abs(f)", "abs(i)", "avg(n)", "avg(e)", "avg(fl)", "ceil(f)", "ceil(i)", "floor(f)", "floor(`2.0`)", "ceil(`1e20`)",
              "floor(`Infinity`)", "sum(n)", "sum(e)", "sum(fl)", "sum(big)", "max(n)", "min(n)", "max(s)", "min(s)", "max(e)",
              "max(m)", "min(`[\"a\", 1]`)", "sort(n)", "sort(s)", "sort(e)", "sort(m)", "sort(`[true]`)", "sort_by(d, &k)[].v", "sort_by(d, &v)[].k",
              "sort_by(e, &k)", "sort_by(x, &k)", "max_by(d, &k).v", "min_by(d, &k).v", "max_by(e, &k)", "max_by(x, &k)", "min_by(x, &k)", "min_by(d, &z)",
              "to_number('12')", "to_number(' 12 ')", "to_number('1_000')", "to_number('1__0')", "to_number('-0x1')", "to_number('1e3')",
              "to_number('.5')", "to_number('+7')", "to_number('inf')", "to_number('nan')", "to_number('abc')", "to_number('')", "to_number(t)",
              "to_number(f)", "to_number(n)", "to_number('007')", "to_number('1.')", "to_number('_1')", "to_string(f)", "to_string(t)", "to_string(s)", "to_string(`null`)",
              "to_string('é\u2028🙂')", "to_string(`[\"é🙂\\u007f\\u0001\", 1e20, {\"b\":1,\"a\":null}]`)", "to_string({b:i,a:f})",
              "contains(n, `1`)", "contains(n, `1.0`)", "contains(n, `true`)", "contains(s, 'a')", "contains(q, 'x')", "contains(q, '')", "contains(l, `[1]`)",
              "reverse(n)", "reverse(q)", "length(q)", "length('é🙂')", "length(o)", "length(e)", "n[?@ > `1`]", "n[?@ >= `2` && @ < `3`]",
              "s[?@ > 'a']", "n[?@ == `2.0`]", "o.one == o.true", "`1` == `true`", "`0` == `false`", "l[0] == l[1]", "l[0] == l[2]", "`1.0` == `1`",
              "{a:i,b:f} == {b:f,a:i}", "{a:i} == `{\"a\":7}`", "o == `{\"true\":true,\"one\":1}`", "f < i", "f < q", "t < i", "`null` < `1`", "!i", "!`0`", "!`0.0`", "!e",
              "e || 'none'", "`0` || 'none'", "i && q", "e && q", "n[*]", "n[]", "l[]", "l[][]", "l[0][0]", "n[1:3]", "n[-2:]", "n[:-2]", "n[::-2]", "n[3:1:-1]",
              "n[10:]", "n[-10:2]", "n[5:0:-1]", "n[:2:-1]", "n[99999999999999999999:]", "n[99999999999999999999]", "n[0:99999999999999999999:99999999999999999999]", "o.*", "*.k", "d[*].*", "d[].k",
              "d[?k==`1`].v", "d[?k==`1`] | [0]", "d[?k==`1`] | [0].v", "map(&k, d)", "map(&@, n)", "map(&z, d)", "type(&k)", "map(k, d)", "sum(&k)", "not_null(e, i)",
              "merge(o, {one: 'x'}, {z: i})", "join('-', s)", "join('', e)", "join(',', n)", "join(',', m)", "length(m, n)", "avg(s)", "sum(m)", "keys(o)", "keys(n)", "ends_with(q, '\"')",
              "q", "[q]", "[[q]]", "{a: q}", "[{a: q}]", "sort(q)", "sum(q)", "length(i)", "length(f)", "length(t)", "length(`null`)", "abs(o)", "abs(l)", "abs({z:i,a:{}})", "ceil(q)",
              "floor(s)", "n | sort(@) | [0]", "(n)[0]", "(n || s)[0]", "[n, s][]", "[n[0], s[0]]", "{first: n[0], list: n, dict: o}", "[{b:i,a:f}, o]",
              "[[{b:i,a:f}, o, n]]", "[{b:i,a:f}, {a:i}, o]", "[`null`, i]", "[`null`]", "[].x", "e[0]", "e[]", "e[*].k", "values(o)", "to_array(i)", "to_array(n)", "[l, l]", "[o, [o], l[0], l[0]]", "[[e, e]]"]
]


def case_files():
    files = {}
    files["json"] = [run(value, "json") for value in ANSWERS + SHAPES + [YAML_SCALARS]]
    files["jsonc"] = [run(value, "jsonc", colour=True) for value in ANSWERS + SHAPES]
    files["jsonc"] += [run(ACCOUNT, "jsonc"), run(TOKEN, "yamlc")]
    files["jsonc"] += [run([], "jsonc", query, colour=True) for query in ["`NaN`", "[`Infinity`, `-Infinity`]", "{b:@,a:'x'}"]]
    files["yaml"] = [run(value, "yaml") for value in ANSWERS + SHAPES]
    files["yaml_scalars"] = [run(text, "yaml") for text in YAML_SCALARS]
    files["yaml_scalars"] += [run([text, {"key": text, "deep": {"er": [[text]]}}], "yaml") for text in YAML_SCALARS]
    files["yaml_keys"] = [run(value, "yaml") for key in KEYS
                          for value in ({key: "v"}, [{key: ["x", {"y": "z"}], "k": {key: {key: [[]]}}}])]
    files["table"] = [run(value, "table") for value in ANSWERS + SHAPES]
    files["table"] += [
        run(ACCOUNTS, "table", columns=["name", "cloudName", "id", "tenantId", "state", "isDefault"]),
        run([CLOUD], "table", columns=["isActive", "name", "profile"]),
        run(LOCATIONS, "table", columns=["displayName", "name", "regionalDisplayName"]),
        run([], "table", columns=["name"]),
        run(ACCOUNTS, "table", "[].{b:name,a:id}", columns=["state"]),
        run(ACCOUNTS, "json", columns=["state"]),
    ]
    files["tsv"] = [run(value, "tsv") for value in ANSWERS + SHAPES]
    files["none"] = [run(value, "none") for value in ANSWERS[:3]] + [run(ACCOUNT, "none", "nofunc()")]
    files["query"] = []
    for value, query in QUERIES:
        cases = [run(value, fmt, query) for fmt in FORMATS]
        # An error is the same in every format.
        files["query"] += cases if "stdout" in cases[0] else cases[:1]
    return files


ALPHABET = list("ab cdXY019 -:#,'\"\\[]{}&*!|>%@`?=~._<+\t\n\r") + [" ", "  ", "\n", "\x00", "\x07", "\x0b", "\x1c", "\x7f", "\x85", "\xa0",
            "\xad", "é", "ß", "\u2028", "\u2029", "\u3000", "\ufeff", "\uffff", "日", "🙂", "\U0010ffff", "word ", "yes", "null",
            "2020-01-01", "1:30", "0x1", "1.5", "e+3", "- ", ": ", " #", "---", "...", "long long words ", "x" * 30]


def random_text(rng):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 8, 20, 60])))


def random_value(rng, depth=0):
    kind = rng.randrange(12 if depth < 4 else 8)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, 1, -1, rng.randrange(-10**6, 10**6), rng.randrange(-2**63, 2**64)])
    if kind == 2:
        return rng.choice([0.0, -2.5, rng.uniform(-100, 100), rng.uniform(-1, 1) * 10.0 ** rng.randrange(-30, 30)])
    if kind < 8:
        return random_text(rng)
    if kind < 10:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    keys = [rng.choice(["a", "b", "name", "id", "Name", random_text(rng), random_text(rng)]) for _ in range(rng.randrange(5))]
    return {key: random_value(rng, depth + 1) for key in keys}


PIECES = ["@", "a", "b", "name", "id", "*", "[*]", "[]", "[0]", "[-1]", "[1:]", "[::-1]", "[:2]", ".", ".", ".", " | ", " || ",
          " && ", "!", "==", "<", ">=", "(", ")", "[?", "]", "[", ",", "{a:", "{b:", "}", "&a", "&@", "`1`", "`foo`", "'x'", "`[]`", "\"a\"",
          "length(", "keys(", "sort(", "sort_by(", "to_string(", "type(", "join(',',", "not_null(", "max(", "map(&@,", "merge(",
          "reverse(", "values(", "to_array(", "contains(", "sum(", "avg(", "1", ":", " "]
TEMPLATES = ["{}", "[{}]", "[].{}", "[?{}]", "[?{}].{}", "{{a:{},b:{}}}", "{} | {}", "length({})", "to_string({})", "keys({})", "type({})",
             "sort_by({},&{})", "map(&{},{})", "not_null({},{})", "[{},{}]", "values({})", "merge({},{})", "reverse({})", "{}=={}",
             "{}<{}", "max_by({},&{})", "to_array({})", "contains({},{})", "({})", "!({})", "({}).{}", "({})[0]", "({})[]", "({})[1:]", "{} || {}"]


def random_query(rng, depth=0):
    if depth == 0 and rng.random() < 0.4:
        return "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 7)))
    if depth > 2 or rng.random() < 0.3:
        return rng.choice(["@", "a", "b", "name", "id", "*", "[*]", "[]", "[0]", "[-1]", "[].a", "[*].name", "`1`", "'x'", "`foo`", "a.b", "*.a", "`[1,true]`"])
    template = rng.choice(TEMPLATES)
    return template.format(*[random_query(rng, depth + 1) for _ in range(template.count("{}"))])


def random_cases(seed, count):
    rng = random.Random(seed)
    cases = []
    while len(cases) < count:
        query = random_query(rng) if rng.random() < 0.5 else None
        case = run(random_value(rng), rng.choice(FORMATS + ["jsonc"]), query, colour=True)
        cases.append(case)
    return cases


def dump(cases):
    """Cases with the same answer stand together, so that it is written once."""
    groups = []
    for case in cases:
        value = case.pop("value")
        if not groups or json.dumps(groups[-1]["value"]) != json.dumps(value):
            groups.append({"value": value, "cases": []})
        groups[-1]["cases"].append(case)
    lines = []
    for group in groups:
        inner = ",\n".join("  " + json.dumps(case) for case in group["cases"])
        lines.append(f'{{"value": {json.dumps(group["value"])}, "cases": [\n{inner}\n]}}')
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    if sys.argv[1:2] == ["random"]:
        sys.stdout.write(dump(random_cases(int(sys.argv[2]), int(sys.argv[3]))))
    else:
        for name, cases in case_files().items():
            (HERE / f"{name}.json").write_text(dump(cases), encoding="ascii")
