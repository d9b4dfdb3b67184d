//! Comma-separated values (RFC 4180) with a header that says which column is which. The header may be
//! the last comment before the values, as abuse.ch writes it. A value does not go on in the next line:
//! feeds have no need of it, and one open quote would swallow all that follows.

use pathwarden_types::Ratio;

use super::{Entry, Feed, Format, percent};
use crate::indicator::Pattern;
use crate::time;

/// What a line says without a column for it.
const CONFIDENCE: Ratio = Ratio::of(7_000);
/// The columns that are read.
const COLUMNS_MAX: usize = 64;
/// The lines in which a header is looked for.
const HEADER_LINES_MAX: usize = 100;

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Column {
    Indicator,
    Id,
    Confidence,
    Seen,
    Expires,
    Words,
    Other,
}

impl Column {
    fn of(name: &str) -> Self {
        match name.trim().trim_matches('"').to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
            "url" | "domain" | "host" | "hostname" | "fqdn" | "ip" | "ip_address" | "dst_ip"
            | "src_ip" | "ipv4" | "ipv6" | "cidr" | "network" | "hash" | "md5" | "md5_hash"
            | "sha1" | "sha1_hash" | "sha256" | "sha256_hash" | "sha512" | "ioc" | "ioc_value"
            | "indicator" | "value" => Self::Indicator,
            "id" | "ioc_id" | "uuid" | "sblid" => Self::Id,
            "confidence" | "confidence_level" => Self::Confidence,
            "dateadded" | "date_added" | "date" | "first_seen" | "first_seen_utc" | "firstseen"
            | "last_seen" | "last_seen_utc" | "last_online" | "lastseen" | "valid_from" => {
                Self::Seen
            }
            "expires" | "expiration" | "valid_until" => Self::Expires,
            "threat" | "threat_type" | "malware" | "malware_printable" | "category"
            | "description" | "comment" | "reason" | "tags" => Self::Words,
            _ => Self::Other,
        }
    }
}

/// Which column is which, and where the values begin.
#[derive(Clone, Debug)]
pub(super) struct Header {
    columns: Vec<Column>,
    /// Lines up to and with the header.
    lines: usize,
}

impl Header {
    /// The header of a text. `None` when there is none, and then it is no CSV. A header names an
    /// indicator and one more column.
    pub(super) fn find(text: &str) -> Option<Self> {
        let mut found = None;
        for (at, line) in text.lines().take(HEADER_LINES_MAX).enumerate() {
            let is_comment = line.trim_start().starts_with(['#', ';']);
            let line = line.trim_start().trim_start_matches(['#', ';']);
            let columns: Vec<_> = line.split(',').take(COLUMNS_MAX).map(Column::of).collect();
            if columns.len() > 1 && columns.contains(&Column::Indicator) {
                found = Some(Self { columns, lines: at + 1 });
            }
            if !is_comment && !line.trim().is_empty() {
                break;
            }
        }
        found
    }
}

/// Reads the values below the header.
pub(super) fn read(header: &Header, text: &str, feed: &mut Feed) {
    feed.format = Format::Csv;
    for line in text.lines().skip(header.lines) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if line.matches('"').count() % 2 == 0 {
            add(header, line, feed);
        } else {
            feed.unmatched.add(line, "a quote is not closed on its line");
        }
    }
}

/// Adds one entry for each column with an indicator: one line can list several hashes of one file.
fn add(header: &Header, record: &str, feed: &mut Feed) {
    let fields = fields(record);
    let cells: Vec<_> = header.columns.iter().zip(&fields).collect();
    let values = |wanted: Column| {
        let cells = cells.iter().filter(move |(column, _)| **column == wanted);
        cells.map(|(_, field)| field.trim()).filter(|field| !field.is_empty())
    };
    let confidence = values(Column::Confidence).next().map(str::parse::<u64>);
    let words: Vec<_> = values(Column::Words).filter(|words| *words != "None").collect();
    let mut found = false;
    for text in values(Column::Indicator) {
        let Some(pattern) = parse(text) else { continue };
        found = true;
        feed.add(Entry {
            pattern,
            id: values(Column::Id).next().unwrap_or_default().to_owned(),
            // A confidence that cannot be read is none.
            confidence: confidence.clone().and_then(Result::ok).map_or(CONFIDENCE, percent),
            seen: values(Column::Seen).filter_map(time::parse).max(),
            expires: values(Column::Expires).filter_map(time::parse).next(),
            words: words.join(", "),
        });
    }
    if !found {
        feed.unmatched.add(record, "no domain, address, network, URL or hash");
    }
}

/// An indicator; an address may have a port, which is not compared.
fn parse(text: &str) -> Option<Pattern> {
    let host = || {
        text.rsplit_once(':').and_then(|(host, port)| {
            port.bytes().all(|byte| byte.is_ascii_digit()).then(|| Pattern::parse(host))?
        })
    };
    Pattern::parse(text).or_else(host)
}

fn fields(record: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut chars = record.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            // abuse.ch writes a space before the quote of each field.
            ' ' if !is_quoted && field.is_empty() => {}
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}
