//! What Entra demands or refuses, by its error code (AADSTS): one table, for all flows.
//!
//! To add a code, add it to a row here and to `tests/cases/demands.json`; a test compares the two.
//! The codes are documented in Microsoft's list of Entra ID's authentication error codes.

use crate::error::{Error, Kind};

use Cure::{Do, SignInAgain, SignInByBrowser, SignInThere, UseBroker};
use Kind::{InteractionRequired, Refused, Service};

/// What helps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cure {
    /// The sign-in has ended in all tenants: a new one.
    SignInAgain,
    /// This tenant needs more of the user, which a sign-in to it can give.
    SignInThere,
    /// [`Cure::SignInThere`], with a browser: a device code is refused.
    SignInByBrowser,
    /// The identity broker of the device: it alone can prove which device this is.
    UseBroker,
    /// This line.
    Do(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy)]
pub(super) struct Demand {
    codes: &'static [u32],
    /// Entra's OAuth error code often says less: `invalid_grant` stands for nearly everything.
    pub(super) kind: Kind,
    /// What Entra's own text leaves out; may be empty.
    pub(super) says: &'static str,
    pub(super) cure: Cure,
}

const fn row(codes: &'static [u32], kind: Kind, says: &'static str, cure: Cure) -> Demand {
    Demand { codes, kind, says, cure }
}

/// A refusal that another sign-in does not fix.
const fn refused(codes: &'static [u32], line: &'static str) -> Demand {
    row(codes, Refused, "", Do(line))
}

/// A refusal that the user can fix.
const fn asks(codes: &'static [u32], line: &'static str) -> Demand {
    row(codes, InteractionRequired, "", Do(line))
}

const DECLINED: &str = "The sign-in was declined in the browser.";
const CODE_EXPIRED: &str = "The code was not entered in time: sign in again.";
const NOT_A_MEMBER: &str =
    "The account is neither a member nor a guest of this tenant: check --tenant.";
const ASK_WITH_ID: &str = "Ask the tenant's administrator, with the correlation id.";
const MANAGED_BROWSER: &str = "Sign in on a managed device, with its browser and not with a device code, or ask the tenant's administrator.";

/// The table, by what the demand is about.
const DEMANDS: &[Demand] = &[
    // The sign-in has ended: revoked, password changed, too old or unused for too long.
    row(
        &[
            50_085, 50_089, 50_132, 50_133, 50_139, 50_173, 70_000, 70_008, 70_043, 70_044,
            700_081, 700_082,
        ],
        InteractionRequired,
        "",
        SignInAgain,
    ),
    row(
        &[135_011, 700_003],
        InteractionRequired,
        "The tenant no longer accepts the device on which this sign-in was made.",
        SignInAgain,
    ),
    // A second factor, consent, terms of use, another page.
    row(
        &[
            50_058, 50_072, 50_074, 50_076, 50_078, 50_079, 50_125, 50_158, 50_197, 54_005, 65_001,
            700_005, 700_020,
        ],
        InteractionRequired,
        "",
        SignInThere,
    ),
    asks(
        &[53_004, 53_010],
        "Register a second factor where the tenant allows it (a trusted network or device), then sign in again.",
    ),
    // Device codes.
    row(
        &[530_033],
        InteractionRequired,
        "Conditional Access requires a known device, which a device code cannot prove.",
        SignInByBrowser,
    ),
    row(
        &[530_035],
        InteractionRequired,
        "The tenant's security defaults forbid device codes and plain passwords.",
        SignInByBrowser,
    ),
    row(
        &[530_036],
        InteractionRequired,
        "This sign-in was made with a device code, which Conditional Access forbids.",
        SignInByBrowser,
    ),
    asks(&[70_019, 70_020], CODE_EXPIRED),
    refused(&[65_004], DECLINED),
    // The device.
    row(
        &[530_084],
        Refused,
        "Conditional Access requires token protection: the sign-in must be bound to this device. Neither a browser nor a device code can do that.",
        UseBroker,
    ),
    row(
        &[50_097, 50_127, 50_129, 50_155, 50_187],
        Refused,
        "Conditional Access requires a device that is registered in the tenant. A device code cannot prove it; a browser can only if the device signs in to it.",
        UseBroker,
    ),
    row(
        &[53_000, 530_002, 530_003],
        Refused,
        "Conditional Access requires a managed device.",
        Do(MANAGED_BROWSER),
    ),
    row(
        &[53_001],
        Refused,
        "Conditional Access requires a device that is joined to the organisation's domain.",
        Do(MANAGED_BROWSER),
    ),
    row(
        &[53_002, 53_009],
        Refused,
        "Conditional Access allows approved applications only, and no command line is one.",
        Do(ASK_WITH_ID),
    ),
    refused(
        &[530_004],
        "This tenant does not trust the devices of your organisation: ask its administrator (cross-tenant access settings, trust of compliant devices).",
    ),
    row(
        &[50_005],
        Refused,
        "Conditional Access does not allow this operating system.",
        Do(ASK_WITH_ID),
    ),
    // Other policies.
    refused(
        &[53_003, 530_031],
        "Conditional Access forbids this sign-in: ask the tenant's administrator, with the correlation id.",
    ),
    row(&[530_032], Refused, "A security policy of the tenant forbids it.", Do(ASK_WITH_ID)),
    row(
        &[50_131],
        Refused,
        "Conditional Access objects to the device, the place or the risk of this sign-in.",
        Do(ASK_WITH_ID),
    ),
    row(
        &[53_011, 530_034],
        Refused,
        "The account is at risk.",
        Do("Ask the administrator of the account's own tenant."),
    ),
    refused(
        &[50_002, 500_021, 500_022],
        "This network allows sign-ins to certain tenants only: use another network, or ask its administrator.",
    ),
    refused(
        &[500_212, 500_213],
        "A cross-tenant access policy forbids it: ask the administrators of your tenant and of the other one.",
    ),
    // The account.
    asks(&[16_000, 16_001, 16_002, 160_021], "Sign in again and choose the right account."),
    asks(&[16_003, 50_014, 50_020, 51_004, 90_072], NOT_A_MEMBER),
    asks(&[500_208, 9_002_332], "Sign in with a work or school account of the tenant."),
    asks(&[50_034], "The tenant has no such user: check the name and --tenant."),
    asks(&[50_056, 50_064, 50_126], "User name or password is wrong."),
    asks(
        &[50_055, 50_144],
        "The password has expired: set a new one in a browser, then sign in again.",
    ),
    asks(&[50_135], "The account is at risk: set a new password in a browser, then sign in again."),
    refused(
        &[50_053],
        "The account is locked after too many attempts, or this IP address is blocked: wait, then try again, or ask the tenant's administrator.",
    ),
    refused(&[50_057], "The account is disabled: ask the tenant's administrator."),
    refused(
        &[500_341],
        "The account was deleted: ask the tenant's administrator, or sign in with another.",
    ),
    refused(
        &[80_012],
        "The organisation's directory does not allow the account to sign in at this hour.",
    ),
    row(
        &[80_001, 80_005, 80_007, 80_010, 80_013],
        Service,
        "",
        Do(
            "The organisation's own directory cannot check passwords now: try again later, or tell its administrator.",
        ),
    ),
    // The application.
    refused(
        &[50_105],
        "An administrator must assign the user to the application: Entra ID, Enterprise applications, Users and groups.",
    ),
    refused(
        &[501_051],
        "An administrator must give the application a role of that resource: Entra ID, App registrations, API permissions.",
    ),
    refused(
        &[90_094, 90_095],
        "An administrator of the tenant must consent to the application: ask one.",
    ),
    refused(
        &[65_002],
        "az's client may not request that resource for a user: use another scope, or an application of your own with `azt login --client-id`.",
    ),
    refused(
        &[7_000_112],
        "The application is disabled: an administrator can enable it in Entra ID, Enterprise applications, Properties.",
    ),
    refused(&[1_000_031], "The tenant has closed the application: ask its administrator."),
    refused(
        &[70_001, 700_011, 700_016],
        "The tenant has no such application: check its client id and --tenant.",
    ),
    refused(
        &[7_000_114],
        "This application may not act on behalf of users: use another, or its own token (without --user-assertion).",
    ),
    refused(&[70_002, 7_000_215], "Check the secret: use its value, not its id."),
    refused(
        &[7_000_222],
        "The secret has expired: create a new one in Entra ID and sign in with it.",
    ),
    refused(
        &[7_000_218],
        "The application needs a secret or a certificate. To let users sign in to it, add the platform 'Mobile and desktop applications' or allow public client flows: Entra ID, Authentication.",
    ),
    refused(&[700_025], "The application is for users only and has no secret: sign in as a user."),
    refused(
        &[700_027, 700_030],
        "The application does not know this certificate: add it in Entra ID, Certificates & secrets, or sign in with a registered one.",
    ),
    refused(
        &[700_024],
        "The federated token has expired or is not valid yet: get a new one, and check this machine's clock.",
    ),
    refused(&[50_027], "The federated token is not a JWT: check --federated-token or its source."),
    refused(
        &[70_021, 700_211, 700_212, 700_213],
        "The application does not trust this federated token: compare its issuer, subject and audience with those in Entra ID, Certificates & secrets, Federated credentials.",
    ),
    refused(
        &[700_229],
        "A federated token must be an application's own: a user's is not accepted.",
    ),
    refused(
        &[50_011, 900_971],
        "The application's registration lacks this redirect URI (without --redirect-uri http://localhost): add it in Entra ID, Authentication, Mobile and desktop applications.",
    ),
    refused(
        &[70_003, 70_005, 70_007, 700_054],
        "The application's registration does not allow this kind of sign-in: check it in Entra ID, Authentication.",
    ),
    // The resource and the scope.
    refused(
        &[28_000, 700_022],
        "A token is for one resource: request each resource in a separate call.",
    ),
    refused(
        &[28_002, 28_003, 70_011, 650_053, 700_023],
        "The resource has no such scope: check --scope, or --resource.",
    ),
    refused(
        &[50_001, 500_011],
        "The tenant has no such resource: check --resource or --scope, and the tenant.",
    ),
    refused(
        &[650_052, 650_054],
        "The tenant has not enabled that service: check --resource, or ask its administrator.",
    ),
    refused(
        &[65_005, 650_056, 650_057],
        "The application's registration does not list that resource: check --resource or --scope, or add the permission in Entra ID, API permissions.",
    ),
    refused(
        &[1_002_012],
        "An application requests all its permissions for a resource at once: --scope <resource>/.default, or --resource.",
    ),
    // The tenant and the cloud.
    refused(
        &[90_002, 900_021, 900_023],
        "There is no such tenant in this cloud: check --tenant and `cloud show`.",
    ),
    refused(
        &[90_038],
        "The tenant is in another cloud: choose it with `azt cloud set --name NAME`, then sign in there.",
    ),
    refused(
        &[50_059, 50_128, 50_194, 90_019, 90_124, 90_130, 9_001_023],
        "Entra ID needs to know the tenant: name it with --tenant.",
    ),
    // The request.
    refused(
        &[90_014, 90_023, 90_100, 900_144, 9_002_313],
        "The request was incomplete or malformed: check the values of the options for empty or cut ones.",
    ),
    row(
        &[50_196],
        Service,
        "",
        Do("Something requests the same token again and again: stop it, then wait some minutes."),
    ),
    row(
        &[
            50_033, 50_087, 50_088, 70_012, 80_002, 80_014, 90_006, 90_012, 90_024, 90_033, 90_055,
            90_090,
        ],
        Service,
        "",
        Do("Try again in a minute."),
    ),
];

/// By OAuth error code (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5), if no AADSTS code is known.
const BY_ERROR: [(&str, Demand); 3] = [
    ("access_denied", refused(&[], DECLINED)),
    ("authorization_declined", refused(&[], DECLINED)),
    ("expired_token", asks(&[], CODE_EXPIRED)),
];

/// The row for `error`, by its first code that the table has.
pub(super) fn of(error: &Error) -> Option<&'static Demand> {
    let detail = error.entra_detail()?;
    let find = |code: &u32| DEMANDS.iter().find(|row| row.codes.contains(code));
    let by_error = || BY_ERROR.iter().find(|(error, _)| **error == *detail.error);
    detail.codes.iter().find_map(find).or_else(|| by_error().map(|(_, row)| row))
}

/// Every AADSTS code of the table.
pub fn demanded_codes() -> impl Iterator<Item = u32> {
    DEMANDS.iter().flat_map(|row| row.codes).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_is_in_two_rows() {
        let mut seen = BTreeSet::new();
        for code in demanded_codes() {
            assert!(seen.insert(code), "{code}");
        }
    }

    #[test]
    fn every_line_is_a_sentence() {
        for row in DEMANDS {
            let Do(line) = row.cure else { continue };
            assert!(line.ends_with('.'), "{line}");
            assert!(row.says.is_empty() || row.says.ends_with('.'), "{}", row.says);
        }
    }
}
