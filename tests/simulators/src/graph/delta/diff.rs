//! Computes the entries of a delta response from two states of the directory.

use std::sync::Arc;

use uuid::Uuid;

use super::book::{Entry, Known, Link, Live, Snapshot};

/// Returns the first response: every object with all its links.
pub(super) fn everything(order: &[Uuid], now: &Snapshot) -> Vec<Entry> {
    let known = order.iter().filter_map(|id| Some((id, now.live.get(id)?)));
    known.map(|(id, known)| fresh(*id, known)).collect()
}

/// Returns the changes between two states; updates which properties ever had a value in `now`.
pub(super) fn changes(order: &[Uuid], before: &Snapshot, now: &mut Snapshot) -> Vec<Entry> {
    let mut entries = Vec::new();
    for id in order {
        let Some(known) = now.live.get_mut(id) else {
            continue;
        };
        let Some(old) = before.live.get(id) else {
            entries.push(fresh(*id, known));
            continue;
        };
        known.ever |= old.ever;
        let changed = known.hash != old.hash;
        let mut links = Vec::new();
        if known.links == old.links {
            known.links = Arc::clone(&old.links);
        } else {
            links = relinked(&old.links, &known.links);
        }
        if changed || !links.is_empty() {
            entries.push(Entry::Live(Live {
                id: *id,
                ever: old.ever,
                changed,
                links,
                continues: false,
            }));
        }
    }
    let lost = before.live.keys().filter(|id| !now.live.contains_key(id));
    let purged = before.soft.iter().filter(|id| {
        !now.live.contains_key(id) && !now.soft.contains(id) && !before.live.contains_key(id)
    });
    let mut removed: Vec<Uuid> = lost.chain(purged).copied().collect();
    removed.sort_unstable();
    entries.extend(removed.into_iter().map(|id| {
        let soft = now.soft.contains(&id);
        Entry::Removed(id, if soft { "changed" } else { "deleted" })
    }));
    entries
}

/// Splits entries with many links into several entries.
pub(super) fn sliced(entries: Vec<Entry>, most: usize) -> Vec<Entry> {
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry::Live(live) = entry else {
            all.push(entry);
            continue;
        };
        if live.links.len() <= most {
            all.push(Entry::Live(live));
            continue;
        }
        let slices = live.links.chunks(most).enumerate();
        all.extend(slices.map(|(at, links)| {
            Entry::Live(Live {
                links: links.to_vec(),
                continues: at > 0,
                ..Live {
                    links: Vec::new(),
                    ..live
                }
            })
        }));
    }
    all
}

fn fresh(id: Uuid, known: &Known) -> Entry {
    let links = known.links.iter().map(|id| Link {
        id: *id,
        removed: false,
    });
    Entry::Live(Live {
        id,
        ever: 0,
        changed: true,
        links: links.collect(),
        continues: false,
    })
}

/// Returns added links, then removed ones; both lists are sorted.
fn relinked(before: &[Uuid], now: &[Uuid]) -> Vec<Link> {
    let only_in = |these: &[Uuid], others: &[Uuid], removed: bool| -> Vec<Link> {
        let only = these.iter().filter(|id| others.binary_search(id).is_err());
        only.map(|id| Link { id: *id, removed }).collect()
    };
    let mut links = only_in(now, before, false);
    links.extend(only_in(before, now, true));
    links
}
