use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

const NOW: i64 = 1_790_000_000;
const HOME: &str = "c0000000-0000-4000-8000-00000000000a";
const GUEST: &str = "f0000000-0000-4000-8000-00000000000b";
const CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";

fn jwt(claims: &Value) -> String {
    format!("e30.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn asked(tenant: &str, response: &Value) -> Result<TokenResponse> {
    let account = json!({"username": "ann", "homeAccountId": format!("uid.{HOME}")});
    let account = BrokerAccount::parse(account).unwrap();
    asked_by(&account, tenant, "https://vault.azure.net/.default", response)
}

fn asked_by(
    account: &BrokerAccount,
    tenant: &str,
    scope: &str,
    response: &Value,
) -> Result<TokenResponse> {
    let wanted = Wanted {
        account,
        environment: "login.microsoftonline.com",
        tenant,
        client_id: CLIENT,
        scopes: &Scopes::new([scope]).unwrap(),
        now: NOW,
    };
    token(&json!({"brokerTokenResponse": response}).to_string(), &wanted)
}

#[test]
fn the_time_of_the_token_counts_and_an_impossible_one_is_refused() {
    let milliseconds = |seconds: i64| Some(Seconds((NOW + seconds) * 1000));
    let exp = |seconds: i64| Some(Seconds(NOW + seconds));
    for (expires_on, exp, expected) in [
        (milliseconds(3600), None, Some(3600)),
        (milliseconds(3600), exp(3600), Some(3600)),
        // Himmelblau's.
        (Some(Seconds(NOW * 1000 + 3600)), exp(3600), Some(3600)),
        (None, exp(3600), Some(3600)),
        (None, None, None),
        // Seconds, and microseconds.
        (Some(Seconds(NOW + 3600)), None, None),
        (Some(Seconds(NOW + 3600)), exp(3600), None),
        (Some(Seconds((NOW + 3600) * 1_000_000)), exp(3600), None),
        (Some(Seconds(i64::MIN)), None, None),
        (milliseconds(-1), None, None),
        // Later than the token says.
        (milliseconds(7200), exp(3600), None),
        (milliseconds(3600), exp(-10), None),
    ] {
        let found = lifetime(expires_on, exp, NOW).ok();
        assert_eq!(found, expected, "{expires_on:?} {exp:?}");
    }
}

#[test]
fn a_token_of_another_account_client_or_tenant_is_refused() {
    let info = |uid: &str| URL_SAFE_NO_PAD.encode(format!(r#"{{"uid":"{uid}","utid":"{HOME}"}}"#));
    let exp = NOW + 3600;
    for (tenant, response, says) in [
        (HOME, json!({"accessToken": "opaque", "expiresOn": exp * 1000}), ""),
        (
            HOME,
            json!({"accessToken": jwt(&json!({"exp": exp, "appid": CLIENT.to_uppercase(), "oid": "uid", "tid": HOME}))}),
            "",
        ),
        (
            GUEST,
            json!({"accessToken": jwt(&json!({"exp": exp, "oid": "other", "tid": GUEST}))}),
            "",
        ),
        ("contoso.example", json!({"accessToken": jwt(&json!({"exp": exp, "tid": HOME}))}), ""),
        (
            HOME,
            json!({"accessToken": jwt(&json!({"exp": exp, "oid": "other", "tid": HOME}))}),
            "another account",
        ),
        (HOME, json!({"accessToken": jwt(&json!({"exp": exp})), "clientInfo": info("uid")}), ""),
        (
            HOME,
            json!({"accessToken": jwt(&json!({"exp": exp})), "clientInfo": info("eve")}),
            "another account",
        ),
        (
            HOME,
            json!({"accessToken": jwt(&json!({"exp": exp})),
                "account": {"username": "ann", "homeAccountId": format!("eve.{HOME}")}}),
            "another account",
        ),
        (HOME, json!({"accessToken": jwt(&json!({"exp": exp, "azp": "edge"}))}), "another client"),
        (
            HOME,
            json!({"accessToken": jwt(&json!({"exp": exp})), "idToken": jwt(&json!({"aud": "edge"}))}),
            "another client",
        ),
        (GUEST, json!({"accessToken": jwt(&json!({"exp": exp, "tid": HOME}))}), "instead of"),
        (
            HOME,
            json!({"accessToken": jwt(&json!({"exp": exp})),
                "account": {"username": "ann", "homeAccountId": format!("uid.{HOME}"),
                    "environment": "login.microsoftonline.us"}}),
            "another account",
        ),
        (HOME, json!({"accessToken": "a\nb", "expiresOn": exp * 1000}), "invalid characters"),
        (HOME, json!({}), "without an access token"),
    ] {
        let found = asked(tenant, &response);
        let error = found.map_or_else(|error| error.message().to_owned(), |_| String::new());
        assert_eq!(error.is_empty(), says.is_empty(), "{response}: {error}");
        assert!(error.contains(says), "{response}: {error}");
    }
}

#[test]
fn only_a_proven_wrong_audience_is_refused() {
    let account = json!({"username": "ann", "homeAccountId": format!("uid.{HOME}")});
    let account = BrokerAccount::parse(account).unwrap();
    let vault = "https://vault.azure.net/.default";
    let by_id = format!("{DEVOPS}/.default");
    for (scope, aud, is_used) in [
        (vault, "https://vault.azure.net", true),
        (vault, "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", true),
        (vault, "https://another.address.of.vault", true),
        (vault, CLIENT, false),
        (&by_id, DEVOPS, true),
        (&by_id, &DEVOPS.to_uppercase(), true),
        (&by_id, "https://app.vssps.visualstudio.com", true),
        (&by_id, HOME, false),
        (&by_id, CLIENT, false),
        (&format!("{CLIENT}/.default"), CLIENT, true),
        ("User.Read", "00000003-0000-0000-c000-000000000000", true),
    ] {
        let token = json!({"accessToken": jwt(&json!({"exp": NOW + 3600, "aud": aud}))});
        let found = asked_by(&account, HOME, scope, &token);
        assert_eq!(found.is_ok(), is_used, "{scope} {aud} {found:?}");
    }
}

#[test]
fn accounts_of_another_cloud_are_not_listed() {
    let account = |environment: Value| {
        json!({"accounts": [{"username": "ann", "homeAccountId": format!("uid.{HOME}"),
            "environment": environment}]})
        .to_string()
    };
    let (public, china) = ("login.microsoftonline.com", "login.chinacloudapi.cn");
    for (environment, here, is_listed) in [
        (json!("login.windows.net"), public, true),
        (json!("Login.MicrosoftOnline.com"), public, true),
        (json!(null), public, true),
        (json!("login.partner.microsoftonline.cn"), china, true),
        (json!("login.windows.net"), china, false),
        (json!("login.microsoftonline.us"), public, false),
        (json!("login.windows.net"), "login.example:444", false),
        (json!("login.windows.net.evil"), public, false),
    ] {
        let found = accounts(&account(environment.clone()), here).unwrap();
        assert_eq!(!found.is_empty(), is_listed, "{environment} at {here}");
    }
}

#[test]
fn each_refusal_has_its_kind() {
    for (error, kind) in [
        (json!({"status": 2, "context": "AADSTS50076: MFA."}), Kind::InteractionRequired),
        (json!({"status": 3}), Kind::Network),
        (json!({"status": 5}), Kind::Service),
        (json!({"status": 9}), Kind::Refused),
        (json!({"status": 77}), Kind::Refused),
        (json!({"context": "invalid_grant"}), Kind::InteractionRequired),
        (json!("interaction_required"), Kind::InteractionRequired),
        (json!([]), Kind::Refused),
    ] {
        let found = asked(HOME, &json!({"error": error})).unwrap_err();
        assert_eq!(found.kind(), kind, "{error}: {found}");
    }
}

#[test]
fn an_account_is_listed_once_at_home() {
    let all = accounts(
        &json!({"accounts": [
            {"username": "ann", "homeAccountId": format!("a.{HOME}"), "realm": GUEST},
            {"username": "ann", "homeAccountId": format!("A.{HOME}"), "realm": HOME},
            {"username": "", "homeAccountId": "x.y"}, {"username": "no id"}, 7, null,
        ]})
        .to_string(),
        "login.example",
    )
    .unwrap();
    let [ann] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(ann.as_sent["realm"], HOME);
    for text in ["", "[", "7", "{}", r#"{"accounts":7}"#] {
        assert_eq!(accounts(text, "login.example").unwrap_err().kind(), Kind::Service, "{text}");
    }
}
