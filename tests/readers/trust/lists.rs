//! Revocation lists: stale, missing, by somebody else, of an issuer with two keys.

use wardkeep_hardware::trust::{SignKey, Trust};
use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::refusal::Distrust::{ListMissing, ListStale, NoIssuers, Revoked};

use super::{SERIAL, Site, now, signed, sub_params, today};
use kit::readers::issuers::{TrustFolder, authority, below, delta, list, root};

#[test]
fn a_stale_list_does_not_count() {
    let site = Site::new();
    let card = site.card(|_| ());
    for (what, file, bytes, expected) in [
        ("fresh", "sub.crl", list(&site.sub, &[], today(-6), today(1)), Ok(SignKey::P256)),
        ("past its own end", "sub.crl", list(&site.sub, &[], today(-6), today(0)), Err(ListStale)),
        ("older than a week", "sub.crl", list(&site.sub, &[], today(-8), today(9)), Err(ListStale)),
        ("from tomorrow", "sub.crl", list(&site.sub, &[], today(1), today(9)), Err(ListStale)),
        ("fresh again", "sub.crl", list(&site.sub, &[], today(-1), today(6)), Ok(SignKey::P256)),
        // Of the issuer's own issuer, which publishes twice a year: its own end alone counts.
        (
            "half a year old",
            "root.crl",
            list(&site.root, &[], today(-99), today(9)),
            Ok(SignKey::P256),
        ),
        (
            "the root's, at its end",
            "root.crl",
            list(&site.root, &[], today(-99), today(0)),
            Err(ListStale),
        ),
    ] {
        site.folder.write(&format!("crls/{file}"), bytes);
        assert_eq!(site.judge(&card), expected, "a list that is {what}");
    }
}

#[test]
fn a_stale_list_still_revokes() {
    let site = Site::new();
    site.folder.write("crls/sub.crl", list(&site.sub, &[SERIAL], today(-30), today(9)));
    assert_eq!(site.judge(&site.card(|_| ())), Err(Revoked));
}

#[test]
fn a_missing_list_is_forgiven_only_where_the_site_says_so() {
    let site = Site::new();
    let card = site.card(|_| ());
    let strict = site.folder.cards();
    let lax = Cards { crl_required: false, ..strict.clone() };
    let judge = |cards: &Cards| Trust::load(cards).judge(&card, now()).err();
    assert_eq!((judge(&strict), judge(&lax)), (None, None));
    // Every certificate of the path needs one: the card and its issuer.
    site.folder.remove("crls/root.crl");
    assert_eq!((judge(&strict), judge(&lax)), (Some(ListMissing), None));
    site.folder.remove("crls/sub.crl");
    assert_eq!((judge(&strict), judge(&lax)), (Some(ListMissing), None));
    site.folder.write("crls/root.crl", list(&site.root, &[], today(-3), today(30)));
    assert_eq!((judge(&strict), judge(&lax)), (Some(ListMissing), None));
    // One that is there is obeyed in any case.
    site.folder.write("crls/sub.crl", list(&site.sub, &[SERIAL], today(-1), today(6)));
    assert_eq!((judge(&strict), judge(&lax)), (Some(Revoked), Some(Revoked)));
    site.folder.write("crls/sub.crl", list(&site.sub, &[], today(-8), today(6)));
    assert_eq!((judge(&strict), judge(&lax)), (Some(ListStale), Some(ListStale)));
}

#[test]
fn a_list_by_somebody_else_counts_for_nothing() {
    let site = Site::new();
    let card = site.card(|_| ());
    // In the issuer's name, with another key and so another key identifier.
    let namesake = root(sub_params());
    site.folder.write("crls/sub.crl", list(&namesake, &[SERIAL], today(-1), today(6)));
    assert_eq!(site.judge(&card), Err(ListMissing), "the only one");
    site.folder.write("crls/good.crl", list(&site.sub, &[], today(-2), today(6)));
    assert_eq!(site.judge(&card), Ok(SignKey::P256), "beside the issuer's own");
    // A list of the issuer's that was changed afterwards.
    let mut changed = list(&site.sub, &[SERIAL, SERIAL + 1], today(-1), today(6));
    let at = changed.iter().position(|byte| *byte == 0x52).expect("the second serial number");
    changed[at] = 0x53;
    site.folder.write("crls/sub.crl", &changed);
    assert_eq!(site.judge(&card), Err(ListMissing), "a changed one");
}

#[test]
fn the_newest_list_counts() {
    let site = Site::new();
    let card = site.card(|_| ());
    for (name, serials, issued, expected) in [
        ("b", &[SERIAL][..], -3, Ok(SignKey::P256)),
        ("a", &[SERIAL], 0, Err(Revoked)),
        ("c", &[], 0, Err(Revoked)), // of the same day: the first by name
        ("0", &[], -30, Err(Revoked)), // an old file left behind harms nobody
    ] {
        let bytes = list(&site.sub, serials, today(issued), today(6));
        site.folder.write(&format!("crls/{name}"), bytes);
        assert_eq!(site.judge(&card), expected, "after {name}");
    }
    site.folder.remove("crls/a");
    assert_eq!(site.judge(&card), Ok(SignKey::P256));
}

/// An issuer that has changed its key keeps its name, and publishes a list for each key.
#[test]
fn an_issuer_with_two_keys_has_two_lists() {
    let site = Site::new();
    let renewed = below(sub_params(), &site.root);
    site.folder.write("intermediates/renewed.pem", renewed.pem());
    let (old, new) = (site.card(|_| ()), signed(&renewed, |_| ()));
    assert_eq!((site.judge(&old), site.judge(&new)), (Ok(SignKey::P256), Err(ListMissing)));
    site.folder.write("crls/renewed.crl", list(&renewed, &[SERIAL], today(0), today(6)));
    assert_eq!((site.judge(&old), site.judge(&new)), (Ok(SignKey::P256), Err(Revoked)));
}

#[test]
fn without_roots_nothing_is_trusted() {
    let site = Site::new();
    let card = site.card(|_| ());
    let empty = TrustFolder::new();
    let judged = Trust::load(&empty.cards()).judge(&card, now());
    assert_eq!(judged.err(), Some(NoIssuers));
    // An intermediate is no root, whatever it signed.
    empty.write("intermediates/sub.der", site.sub.der());
    empty.write("crls/sub.crl", list(&site.sub, &[], today(-1), today(6)));
    let judged = Trust::load(&empty.cards()).judge(&card, now());
    assert_eq!(judged.err(), Some(NoIssuers));
    let nowhere = Cards { trust: "/nonexistent/wardkeep".into(), ..empty.cards() };
    let trust = Trust::load(&nowhere);
    assert_eq!((trust.faults(), trust.judge(&card, now()).err()), (&[][..], Some(NoIssuers)));
    // The authority itself, laid down as a root, is one.
    empty.write("roots/sub.der", site.sub.der());
    assert!(Trust::load(&empty.cards()).judge(&card, now()).is_ok());
    let other = root(authority("Other", now()));
    let judged = Trust::load(&empty.cards()).judge(&signed(&other, |_| ()), now());
    assert!(judged.is_err());
}

#[test]
fn a_newer_delta_list_revokes() {
    let site = Site::new();
    let card = site.card(|_| ());
    let when = (today(0), today(2));
    for (what, bytes, expected) in [
        ("of others", delta(&site.sub, (2, 1), &[(SERIAL + 1, false)], when), Ok(SignKey::P256)),
        ("of the card", delta(&site.sub, (2, 1), &[(SERIAL, false)], when), Err(Revoked)),
        ("that takes it off", delta(&site.sub, (2, 1), &[(SERIAL, true)], when), Ok(SignKey::P256)),
        // Of the same number as the complete list: that one says more.
        ("no newer", delta(&site.sub, (1, 1), &[(SERIAL, false)], when), Ok(SignKey::P256)),
        // Its complete list is missing here; what it revokes counts all the same.
        ("of a later base", delta(&site.sub, (9, 8), &[(SERIAL, false)], when), Err(Revoked)),
        (
            "past its end",
            delta(&site.sub, (2, 1), &[(SERIAL, false)], (today(-3), today(-1))),
            Err(Revoked),
        ),
        (
            "by somebody else",
            delta(&root(sub_params()), (2, 1), &[(SERIAL, false)], when),
            Ok(SignKey::P256),
        ),
        (
            "of the root",
            delta(&site.root, (2, 1), &[(super::SUB_SERIAL, false)], when),
            Err(Revoked),
        ),
    ] {
        site.folder.write("crls/delta.crl", bytes);
        assert_eq!(site.judge(&card), expected, "a delta {what}");
    }
    // The newest that says anything of it counts.
    site.folder.write("crls/delta.crl", delta(&site.sub, (2, 1), &[(SERIAL, false)], when));
    site.folder.write("crls/later.crl", delta(&site.sub, (3, 1), &[(SERIAL, true)], when));
    assert_eq!(site.judge(&card), Ok(SignKey::P256));
    // Changed afterwards.
    let mut changed = delta(&site.sub, (4, 1), &[(SERIAL + 1, false)], when);
    let at = changed.iter().rposition(|byte| *byte == 0x52).expect("its serial number");
    changed[at] = 0x51;
    site.folder.write("crls/later.crl", changed);
    site.folder.remove("crls/delta.crl");
    assert_eq!(site.judge(&card), Ok(SignKey::P256));
}

#[test]
fn a_delta_list_shows_that_its_issuer_has_not_fallen_silent() {
    let site = Site::new();
    let card = site.card(|_| ());
    site.folder.write("crls/sub.crl", list(&site.sub, &[], today(-20), today(9)));
    assert_eq!(site.judge(&card), Err(ListStale));
    for (what, bytes, expected) in [
        ("of today", delta(&site.sub, (2, 1), &[], (today(0), today(1))), Ok(SignKey::P256)),
        ("of last week", delta(&site.sub, (2, 1), &[], (today(-9), today(1))), Err(ListStale)),
        ("past its end", delta(&site.sub, (2, 1), &[], (today(-2), today(0))), Err(ListStale)),
        ("of tomorrow", delta(&site.sub, (2, 1), &[], (today(1), today(2))), Err(ListStale)),
        ("of a later base", delta(&site.sub, (9, 8), &[], (today(0), today(1))), Err(ListStale)),
        ("of the root", delta(&site.root, (2, 1), &[], (today(0), today(1))), Err(ListStale)),
    ] {
        site.folder.write("crls/delta.crl", bytes);
        assert_eq!(site.judge(&card), expected, "a delta {what}");
    }
    // Past the end of the complete list nothing helps.
    site.folder.write("crls/delta.crl", delta(&site.sub, (2, 1), &[], (today(0), today(1))));
    site.folder.write("crls/sub.crl", list(&site.sub, &[], today(-20), today(0)));
    assert_eq!(site.judge(&card), Err(ListStale));
}
