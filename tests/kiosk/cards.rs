//! Logging in with a smart card, and every way in which it goes wrong.

use kit::kiosk::{Bedside, PIN, WRONG, card};
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::{frame, login};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::access::policy::{Level, Pair};
use wardkeep_model::access::refusal::Distrust;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{
    CardCommand, CardFault, CardRefusal, Event, FactorEvent, ReaderHealth, ReaderKind,
};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[test]
fn card_and_pin_open_the_session() {
    let mut bedside = Bedside::locked();
    bedside.insert(1);
    assert_eq!(bedside.prompt().token, TokenKind::Card);
    bedside.prompt_card = false;
    bedside.type_pin(PIN);
    assert!(bedside.prompt().busy && !bedside.store.vault_open, "the card has to answer first");
    bedside.card_answers();
    assert_eq!(bedside.level(), Some(Level::Strong));
    assert_eq!(bedside.pairs(), [(Some(OperatorId(9)), Some(Pair::CardPin))]);
    bedside.wait(60 * SECOND);
    let chip = bedside.view().open.expect("open").operator;
    assert_eq!((chip.since, chip.minutes_left), (TimeOfDay::at(14, 32), 1));
}

#[test]
fn a_card_tells_its_own_tries_from_the_first_wrong_pin_on() {
    let mut bedside = Bedside::locked();
    bedside.insert(1);
    assert_eq!(bedside.prompt().tries_left, None);
    let before = bedside.prompt().prompt;
    bedside.type_pin(WRONG);
    assert_eq!((bedside.prompt().tries_left, bedside.prompt().refused), (Some(2), true));
    assert_eq!(bedside.notice(), Some(Notice::CardPinWrong));
    assert_ne!(bedside.prompt().prompt, before, "what was typed is forgotten");
    bedside.type_pin(PIN);
    assert_eq!(bedside.level(), Some(Level::Strong));
}

#[test]
fn s1_every_other_refusal_of_a_card_locks_with_its_own_sentence() {
    let distrust = CardRefusal::NotTrusted;
    for (refusal, said) in [
        (CardRefusal::LastTry, Notice::CardLastTry),
        (CardRefusal::Blocked, Notice::CardBlocked),
        (CardRefusal::NoKey, Notice::CardNoKey),
        (CardRefusal::Changed, Notice::CardChanged),
        (CardRefusal::Gone, Notice::CardPulled),
        (CardRefusal::Broken, Notice::CardUnreadable),
        (distrust(Distrust::NoIssuers), Notice::CardNotTrusted),
        (distrust(Distrust::UnknownIssuer), Notice::CardNotTrusted),
        (distrust(Distrust::WrongPurpose), Notice::CardNotTrusted),
        (distrust(Distrust::WrongPolicy), Notice::CardNotTrusted),
        (distrust(Distrust::Malformed), Notice::CardNotTrusted),
        (distrust(Distrust::Expired), Notice::CardExpired),
        (distrust(Distrust::NotYetValid), Notice::CardExpired),
        (distrust(Distrust::Revoked), Notice::CardRevoked),
        (distrust(Distrust::ListMissing), Notice::RevocationListOld),
        (distrust(Distrust::ListStale), Notice::RevocationListOld),
    ] {
        let mut bedside = Bedside::locked();
        bedside.prompt_card = false;
        bedside.insert(1);
        bedside.type_pin(PIN);
        let Some(CardCommand::Prove { attempt, .. }) = bedside.asked_card.clone() else {
            panic!("the card was not asked");
        };
        bedside.factor(FactorEvent::CardRefused(attempt, refusal));
        assert!(bedside.is_lock_screen() && !bedside.store.vault_open, "{refusal:?}");
        assert_eq!(bedside.notice(), Some(said), "{refusal:?}");
        bedside.card_answers();
        assert!(bedside.is_lock_screen(), "{refusal:?}: a proof after a refusal opens nothing");
    }
}

#[test]
fn s1_a_card_swapped_between_the_digits_gets_a_prompt_of_its_own() {
    for announced in [true, false] {
        let mut bedside = Bedside::locked();
        bedside.prompt_card = false;
        bedside.insert(1);
        let before = bedside.prompt().prompt;
        if announced {
            bedside.pull();
            assert!(bedside.is_lock_screen());
            assert_eq!(bedside.notice(), Some(Notice::CardPulled));
        }
        bedside.insert(2);
        assert_ne!(
            bedside.prompt().prompt,
            before,
            "digits typed for one card never reach another"
        );
        bedside.type_pin(PIN);
        let asked = bedside.asked_card.clone();
        assert!(
            matches!(&asked, Some(CardCommand::Prove { card: asked, peer, .. })
                if *asked == card(2) && peer.0 == card(2).0),
            "{asked:?}"
        );
    }
}

#[test]
fn s1_a_card_swapped_between_pin_and_proof_locks() {
    let mut bedside = Bedside::locked();
    bedside.prompt_card = false;
    bedside.insert(1);
    bedside.type_pin(PIN);
    bedside.insert(2);
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.notice(), Some(Notice::CardChanged));
    bedside.card_answers();
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
}

/// A step of a login with a card, and how it is reached.
type CardStep = (&'static str, fn(&mut Bedside));

fn card_steps() -> Vec<CardStep> {
    vec![
        ("prompt", |b| b.insert(1)),
        ("proving", |b| {
            b.insert(1);
            b.prompt_card = false;
            b.type_pin(PIN);
        }),
        ("unlocking", |b| {
            b.insert(1);
            b.prompt_store = false;
            b.type_pin(PIN);
        }),
        ("choosing a PIN", |b| {
            b.insert(1);
            b.store.is_code = true;
            b.store.code_for_cards = true;
            b.type_pin(PIN);
        }),
        ("open", |b| {
            b.insert(1);
            b.type_pin(PIN);
        }),
        ("emergency, reason", |b| {
            b.intent(login::Intent::BeginEmergency);
            b.insert(1);
        }),
        ("emergency, open", |b| {
            b.intent(login::Intent::BeginEmergency);
            b.insert(1);
            b.choose_reason();
        }),
    ]
}

#[test]
fn s1_a_card_pulled_or_a_reader_lost_locks_at_every_step() {
    type Loss = fn(&mut Bedside);
    let losses: [(&str, Loss); 5] = [
        ("pulled", |b| b.pull()),
        ("reader daemon gone", |b| {
            b.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::ServiceDown));
        }),
        ("reader unplugged", |b| {
            b.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::NotFitted));
        }),
        ("unreadable", |b| b.factor(FactorEvent::CardUnreadable(CardFault::Unreadable))),
        ("something else in the reader", |b| {
            b.factor(FactorEvent::CardUnreadable(CardFault::NotPiv));
        }),
    ];
    for (step, reach) in card_steps() {
        for (how, lose) in losses {
            let mut bedside = Bedside::monitoring();
            bedside.intent(frame::Intent::Lock);
            bedside.store.write_emergency_card(bedside.now().wall);
            reach(&mut bedside);
            assert!(!bedside.is_lock_screen(), "{step}");
            lose(&mut bedside);
            assert!(bedside.is_lock_screen(), "{step}, {how}");
            bedside.prompt_store = true;
            bedside.deliver();
            bedside.card_answers();
            assert!(bedside.is_lock_screen() && !bedside.store.vault_open, "{step}, {how}");
            assert!(bedside.notice().is_some(), "{step}, {how}");
        }
    }
}

#[test]
fn unreadable_cards_are_explained() {
    for (fault, said) in [
        (CardFault::LeftTooSoon, Notice::CardLeftTooSoon),
        (CardFault::NotPiv, Notice::CardNotPiv),
        (CardFault::Unreadable, Notice::CardUnreadable),
    ] {
        let mut bedside = Bedside::unlocked();
        bedside.factor(FactorEvent::CardUnreadable(fault));
        assert_eq!(bedside.notice(), Some(said));
        assert!(bedside.view().open.is_some(), "a session that rests on a badge goes on");
    }
}
