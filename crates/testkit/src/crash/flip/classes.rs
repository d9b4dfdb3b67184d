//! The classes of file, and which bit is flipped in each.

use std::fs;

use anyhow::{Context as _, Result};
use pathwarden_ledger::frame::{FRAME_HEADER_BYTES, FrameHeader, FrameKind, SEGMENT_HEADER_BYTES};

use crate::node::Home;

/// Places in the index that are tried: its pages are not all in use.
const INDEX_PLACES: usize = 8;

/// One class of file.
pub(super) struct Class {
    pub(super) name: &'static str,
    pub(super) flips: Vec<Flip>,
    pub(super) verifier: Verifier,
    /// Whether the file can be thrown away.
    pub(super) rebuildable: bool,
}

/// What the verifier does about such a file.
#[derive(Clone, Copy)]
pub(super) enum Verifier {
    /// It checks it, and names it.
    NamesIt,
    /// It is asked to use it, and refuses.
    RefusesIt,
    /// It does not look at it.
    DoesNotLook,
}

/// One bit of one file.
pub(super) struct Flip {
    /// Below the home.
    pub(super) file: String,
    pub(super) byte: usize,
    pub(super) bit: u8,
}

/// Every class of file of this home.
pub(super) fn all(home: &Home) -> Result<Vec<Class>> {
    let segments = list(home, "ledger/segments")?;
    let (live, sealed) = segments.split_last().context("there are segments")?;
    let sealed = sealed.last().context("a segment is sealed")?;
    let mut classes = vec![
        class("checkpoint: size and root", halfway(home, "ledger/checkpoint", 3)?),
        class("checkpoint: signature", near_end(home, "ledger/checkpoint")?),
        class("full hash tile", halfway(home, "ledger/tile/0/000", 0)?),
        class("partial hash tile", halfway(home, &partial(home, "ledger/tile/0")?, 0)?),
        class("hash tile above", halfway(home, &partial(home, "ledger/tile/1")?, 0)?),
        class("full entry bundle", halfway(home, "ledger/tile/entries/000", 1)?),
        class("partial entry bundle", halfway(home, &partial(home, "ledger/tile/entries")?, 1)?),
        class("sealed segment: header", Flip { file: sealed.clone(), byte: 16, bit: 0 }),
        class("sealed segment: entry frame", frame(home, sealed, FrameKind::Entry)?),
        class("sealed segment: payload frame", frame(home, sealed, FrameKind::Payload)?),
        class("live segment: entry frame", frame(home, live, FrameKind::Entry)?),
        class("live segment: payload frame", frame(home, live, FrameKind::Payload)?),
    ];
    let key = halfway(home, "keys/ledger.vkey", 1)?;
    classes.push(Class { verifier: Verifier::RefusesIt, ..class("verifier key", key) });
    let key = near_end(home, "keys/ledger.key")?;
    classes.push(Class { verifier: Verifier::DoesNotLook, ..class("signing key", key) });
    classes.push(index(home)?);
    Ok(classes)
}

fn class(name: &'static str, flip: Flip) -> Class {
    Class { name, flips: vec![flip], verifier: Verifier::NamesIt, rebuildable: false }
}

fn index(home: &Home) -> Result<Class> {
    let file = "ledger/index.redb";
    let length = length(home, file)?;
    let flips = (0..INDEX_PLACES).map(|place| Flip {
        file: file.to_owned(),
        byte: length / INDEX_PLACES * place + 77,
        bit: 2,
    });
    Ok(Class {
        name: "index",
        flips: flips.collect(),
        verifier: Verifier::DoesNotLook,
        rebuildable: true,
    })
}

fn halfway(home: &Home, file: &str, bit: u8) -> Result<Flip> {
    Ok(Flip { file: file.to_owned(), byte: length(home, file)? / 2, bit })
}

fn near_end(home: &Home, file: &str) -> Result<Flip> {
    Ok(Flip { file: file.to_owned(), byte: length(home, file)?.saturating_sub(8), bit: 1 })
}

/// The middle of the body of the middle frame of a kind.
fn frame(home: &Home, file: &str, kind: FrameKind) -> Result<Flip> {
    let bytes = fs::read(home.path(file)).with_context(|| format!("read `{file}`"))?;
    let mut at = SEGMENT_HEADER_BYTES;
    let mut places = Vec::new();
    while let Some(header) = FrameHeader::decode(bytes.get(at..).unwrap_or_default())? {
        if header.kind == kind {
            places.push(at + FRAME_HEADER_BYTES + header.body_bytes() / 2);
        }
        at += header.frame_bytes();
    }
    let byte = *places.get(places.len() / 2).context("there is such a frame")?;
    Ok(Flip { file: file.to_owned(), byte, bit: 5 })
}

/// The one partial file of a level.
fn partial(home: &Home, level: &str) -> Result<String> {
    let folders = list(home, level)?;
    let folder = folders.iter().rfind(|path| path.ends_with(".p")).context("a partial tile")?;
    list(home, folder)?.pop().context("a partial tile")
}

/// Paths in a folder below the home, sorted; numbers by their value.
fn list(home: &Home, folder: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(home.path(folder)).with_context(|| format!("list `{folder}`"))?;
    let mut paths = entries
        .map(|entry| Ok(format!("{folder}/{}", entry?.file_name().to_string_lossy())))
        .collect::<Result<Vec<String>>>()?;
    paths.sort_by_key(|path| (path.len(), path.clone()));
    Ok(paths)
}

fn length(home: &Home, file: &str) -> Result<usize> {
    let metadata = fs::metadata(home.path(file)).with_context(|| format!("look at `{file}`"))?;
    Ok(usize::try_from(metadata.len())?)
}
