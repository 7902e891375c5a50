//! Finds plain scalars that YAML 1.1 does not read as strings, by the patterns of PyYAML's
//! resolver.

/// True if YAML 1.1 reads the plain `text` as a boolean, a number, a date, null or a special key.
pub(super) fn is_non_string(text: &str) -> bool {
    is_word(text) || is_int(text) || is_float(text) || is_timestamp(text)
}

fn is_word(text: &str) -> bool {
    matches!(
        text,
        "yes"
            | "Yes"
            | "YES"
            | "no"
            | "No"
            | "NO"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
            | ""
            | "~"
            | "null"
            | "Null"
            | "NULL"
            | "<<"
            | "="
            | "!"
            | "&"
            | "*"
    )
}

fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |digits: &str, allowed: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| byte == b'_' || allowed(byte))
    };
    if let Some(rest) = digits.strip_prefix('0') {
        let binary = rest
            .strip_prefix('b')
            .is_some_and(|bits| all(bits, |byte| matches!(byte, b'0' | b'1')));
        let hex =
            rest.strip_prefix('x').is_some_and(|hex| all(hex, |byte| byte.is_ascii_hexdigit()));
        return rest.is_empty() || binary || hex || all(rest, |byte| matches!(byte, b'0'..=b'7'));
    }
    let mut scan = Scan(digits.as_bytes());
    scan.number() && (scan.is_done() || scan.sexagesimals() && scan.is_done())
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let mut scan = Scan(unsigned.as_bytes());
    if !scan.number() {
        // PyYAML allows no sign before `.5`.
        let mut scan = Scan(text.as_bytes());
        return scan.one(b".") && scan.number() && scan.optional_exponent() && scan.is_done();
    }
    let sexagesimal = scan.sexagesimals();
    if !scan.one(b".") {
        return false;
    }
    scan.digits_and_underscores();
    (sexagesimal || scan.optional_exponent()) && scan.is_done()
}

fn is_timestamp(text: &str) -> bool {
    let mut scan = Scan(text.as_bytes());
    if scan.digits(4) != 4 || !scan.one(b"-") {
        return false;
    }
    let month = scan.digits(2);
    if month == 0 || !scan.one(b"-") {
        return false;
    }
    let day = scan.digits(2);
    if scan.is_done() {
        return month == 2 && day == 2;
    }
    let separated = scan.one(b"Tt") || scan.blanks() > 0;
    if day == 0 || !separated || scan.digits(2) == 0 {
        return false;
    }
    if !(scan.one(b":") && scan.digits(2) == 2 && scan.one(b":") && scan.digits(2) == 2) {
        return false;
    }
    if scan.one(b".") {
        scan.digits(usize::MAX);
    }
    scan.is_done() || scan.zone() && scan.is_done()
}

/// The rest of a text that is matched from left to right. Methods consume what they match.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// Matches one byte of `set`.
    fn one(&mut self, set: &[u8]) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if set.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Matches up to `most` bytes for which `allowed` is true; returns their number.
    fn run(&mut self, most: usize, allowed: fn(&u8) -> bool) -> usize {
        let count = self.0.iter().take(most).take_while(|byte| allowed(byte)).count();
        self.0 = self.0.get(count..).unwrap_or_default();
        count
    }

    fn digits(&mut self, most: usize) -> usize {
        self.run(most, u8::is_ascii_digit)
    }

    fn blanks(&mut self) -> usize {
        self.run(usize::MAX, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// Matches a digit, then digits and underscores.
    fn number(&mut self) -> bool {
        let starts = self.digits(1) == 1;
        self.digits_and_underscores();
        starts
    }

    fn digits_and_underscores(&mut self) {
        self.run(usize::MAX, |byte| byte.is_ascii_digit() || *byte == b'_');
    }

    /// Matches `:59` at least once.
    fn sexagesimals(&mut self) -> bool {
        let mut any = false;
        while let [b':', rest @ ..] = self.0 {
            let taken = match rest {
                [b'0'..=b'5', b'0'..=b'9', ..] => 2,
                [b'0'..=b'9', ..] => 1,
                _ => return any,
            };
            self.0 = rest.get(taken..).unwrap_or_default();
            any = true;
        }
        any
    }

    fn optional_exponent(&mut self) -> bool {
        !self.one(b"eE") || self.one(b"-+") && self.digits(usize::MAX) > 0
    }

    /// Matches `Z` or an offset, after optional blanks.
    fn zone(&mut self) -> bool {
        self.blanks();
        self.one(b"Z")
            || self.one(b"-+") && self.digits(2) > 0 && (!self.one(b":") || self.digits(2) == 2)
    }
}
