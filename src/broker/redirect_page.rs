//! The pages that the browser shows at the start and the end of a sign-in.

use crate::sys::Page;

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{margin:0;min-height:100vh;display:grid;place-items:center}\
main{max-width:34rem;padding:2rem;border-top:.3rem solid #0a6cce}\
main.failed{border-color:#c4314b}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}\
p{margin:.5rem 0;overflow-wrap:anywhere}\
.brand{font-size:.85rem;opacity:.7;margin:0 0 1.5rem}";

/// A page that redirects the browser to `url`, without a referrer.
pub(super) fn leading_to(url: &str) -> String {
    let url = escaped(url);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0;url={url}\">\
         <title>Sign in</title><style>{STYLE}</style></head>\n\
         <body><main><p class=\"brand\">azt</p><p><a href=\"{url}\">Continue to the sign-in</a></p></main></body></html>\n"
    )
}

/// The user is signed in under this name.
pub(super) fn signed_in(name: &str) -> Page {
    let text = [
        &format!("Signed in as {name}."),
        "You can close this window and go back to the terminal.",
    ];
    page(200, "You are signed in", &text, "")
}

/// The sign-in has failed; the terminal shows the remedy.
pub(super) fn failed(why: &str) -> Page {
    page(
        200,
        "You are not signed in",
        &[why, "Nothing was stored. The terminal shows what to do."],
        "failed",
    )
}

/// The request was not the sign-in response; the sign-in continues.
pub(super) fn refused(status: u16, why: &str) -> Page {
    page(
        status,
        "This is not a sign-in response",
        &[why, "The sign-in is still waiting for it."],
        "failed",
    )
}

fn page(status: u16, title: &str, paragraphs: &[&str], class: &str) -> Page {
    let paragraphs =
        paragraphs.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect::<Vec<_>>();
    let paragraphs = paragraphs.join("\n");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><main class=\"{class}\"><p class=\"brand\">azt</p><h1>{title}</h1>\n{paragraphs}</main></body></html>\n"
    );
    Page { status, html }
}

/// Escapes text for HTML: names and reasons come from a server.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_become_markup() {
        let page = leading_to("https://x.example/?a=1&b=\"><script>alert('1')</script>");
        let url = "https://x.example/?a=1&amp;b=&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;";
        assert!(page.contains(&format!("content=\"0;url={url}\"")), "{page}");
        assert!(
            page.contains(&format!("<a href=\"{url}\">")) && !page.contains("<script"),
            "{page}"
        );
    }

    #[test]
    fn a_reason_cannot_become_markup() {
        let html = failed("<script>'\"&").html;
        assert!(html.contains("&lt;script&gt;&#39;&quot;&amp;") && !html.contains("<script>"));
    }
}
