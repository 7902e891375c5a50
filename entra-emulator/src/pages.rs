//! The pages for users. They have no cookies and no state, and no script except one that submits a
//! form.

use crate::call::{Answer, Call};
use crate::error::EntraError;
use crate::world::World;
use std::fmt::Write as _;

const STYLE: &str = include_str!("pages.css");

/// Escapes `text` for HTML content and quoted attributes.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

/// `content` is HTML, `title` is text.
fn page(status: u16, title: &str, content: &str) -> Answer {
    let title = escaped(title);
    Answer::html(
        status,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <link rel=\"icon\" href=\"data:,\">\
             <title>{title}</title><style>{STYLE}</style></head>\n\
             <body><main><p class=\"brand\">entra-emulator</p><h1>{title}</h1>\n{content}\n</main>\
             <footer>A local emulator for tests. Nothing typed here leaves this machine.</footer>\
             </body></html>\n"
        ),
    )
}

fn alert(error: Option<&str>) -> String {
    error.map_or_else(String::new, |error| {
        format!("<p class=\"alert\" role=\"alert\">{}</p>\n", escaped(error))
    })
}

/// The sign-in page: a button for each user of the directory, or a form for name and password.
pub(crate) fn sign_in(
    world: &World,
    action: &str,
    application: &str,
    resource: Option<&str>,
    hint: &str,
    error: Option<&EntraError>,
) -> Answer {
    let error = error.map(|error| format!("AADSTS{}: {}", error.code, error.description));
    let mut content = alert(error.as_deref());
    let purpose = resource.map_or_else(String::new, |resource| {
        format!(" and lets it use <b>{}</b>", escaped(resource))
    });
    let _ = write!(
        content,
        "<p>This signs you in to <b>{}</b>{purpose}.</p>\n<form method=\"post\" action=\"{}\">\n",
        escaped(application),
        escaped(action)
    );
    let users = &world.directory.users;
    let hinted = |username: &str| username.eq_ignore_ascii_case(hint);
    // The hinted user comes first. The page shows five users; others can sign in by name.
    let (first, others): (Vec<_>, Vec<_>) = users.iter().partition(|it| hinted(&it.username));
    // The users have a separate form, because the Enter key presses a form's first button.
    content.push_str("<div class=\"users\">\n");
    for user in first.iter().chain(&others).take(5) {
        let username = escaped(&user.username);
        let initial: String = user.display_name.chars().take(1).collect();
        let _ = writeln!(
            content,
            "<button class=\"user\" name=\"pick\" value=\"{username}\">\
             <span class=\"initial\" aria-hidden=\"true\">{}</span>\
             <span><b>{}</b><br>{username}</span></button>",
            escaped(&initial),
            escaped(&user.display_name),
        );
    }
    let _ = write!(
        content,
        "</div>\n</form>\n<p class=\"or\">or with a password</p>\n\
         <form method=\"post\" action=\"{}\">\n\
         <label for=\"username\">User name</label>\
         <input id=\"username\" name=\"username\" type=\"email\" required autocomplete=\"off\" value=\"{}\">\n\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" required autocomplete=\"off\">\n\
         <div class=\"actions\"><button class=\"primary\" id=\"submit\">Sign in</button>\
         <button class=\"quiet\" name=\"cancel\" value=\"1\" formnovalidate>Cancel</button></div>\n</form>",
        escaped(action),
        escaped(hint)
    );
    page(200, "Sign in", &content)
}

/// The page for the user code.
pub(crate) fn enter_code(action: &str, error: Option<&str>) -> Answer {
    let content = format!(
        "{}<form method=\"post\" action=\"{}\">\n<label for=\"code\">Enter the code shown by the device or app</label>\
         <input id=\"code\" class=\"code\" name=\"code\" required autofocus autocomplete=\"off\" spellcheck=\"false\" maxlength=\"20\">\n\
         <div class=\"actions\"><button class=\"primary\" id=\"submit\">Next</button></div>\n</form>",
        alert(error),
        escaped(action)
    );
    page(200, "Enter code", &content)
}

/// A page with a final message.
pub(crate) fn finished(title: &str, text: &str) -> Answer {
    page(200, title, &format!("<p>{}</p>", escaped(text)))
}

/// The page for an error that cannot go to the client.
pub(crate) fn error(world: &World, call: &Call, error: &EntraError) -> Answer {
    let parameters = error.redirect_parameters(world, call);
    let description = parameters.get(1).map_or("", |(_, text)| text.as_str());
    page(
        error.status,
        "Sorry, that did not work",
        &format!("<p class=\"alert\" role=\"alert\">{}</p>", escaped(description)),
    )
}

/// The page at `error_uri`.
pub(crate) fn error_code(call: &Call) -> Answer {
    let code = call.parameter("code").unwrap_or("?");
    let text = format!("AADSTS{code} is described in Microsoft's list of Entra error codes.");
    finished("Error code", &text)
}

/// The page after a sign-out. There is no session to end.
pub(crate) fn signed_out(call: &Call) -> Answer {
    call.parameter("post_logout_redirect_uri").map_or_else(
        || finished("You are signed out", "You can close this window."),
        Answer::redirect,
    )
}

/// The page at the emulator's address.
pub(crate) fn welcome(world: &World) -> Answer {
    let mut content = format!(
        "<p>Entra ID and Azure Resource Manager at <code>{}</code>, managed identity at <code>{}</code>.</p>\n\
         <p><a href=\"/devicelogin\">Enter a device code</a></p>\n<h2>Users</h2>\n<ul>\n",
        escaped(&world.url),
        escaped(&world.http_url)
    );
    for user in &world.directory.users {
        let _ = writeln!(
            content,
            "<li><code>{}</code> password <code>{}</code></li>",
            escaped(&user.username),
            escaped(&user.password)
        );
    }
    content.push_str("</ul>");
    page(200, "It is running", &content)
}

/// Sends the parameters to the client as a form (OAuth 2.0 Form Post Response Mode).
pub(crate) fn form_post(redirect_uri: &str, parameters: &[(String, String)]) -> Answer {
    let mut content = format!("<form method=\"post\" action=\"{}\">\n", escaped(redirect_uri));
    for (name, value) in parameters {
        let _ = writeln!(
            content,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escaped(name),
            escaped(value)
        );
    }
    content.push_str(
        "<div class=\"actions\"><button class=\"primary\">Continue</button></div></form>\
         <script>document.forms[0].submit()</script>",
    );
    page(200, "Working", &content)
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_and_attributes_are_escaped() {
        assert_eq!(
            super::escaped(r#"<a href="x" title='y'>&"#),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;"
        );
    }
}
