//! What a card that did not prove itself means to whoever stands in front of it.

use wardkeep_model::access::refusal::Distrust;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::CardRefusal;

/// What a card that did not prove itself means to the operator.
pub(super) fn notice(refusal: CardRefusal) -> Notice {
    match refusal {
        CardRefusal::WrongPin { .. } => Notice::CardPinWrong,
        CardRefusal::LastTry => Notice::CardLastTry,
        CardRefusal::Blocked => Notice::CardBlocked,
        CardRefusal::NoKey => Notice::CardNoKey,
        CardRefusal::Changed => Notice::CardChanged,
        CardRefusal::Gone => Notice::CardPulled,
        CardRefusal::Broken => Notice::CardUnreadable,
        CardRefusal::NotTrusted(why) => match why {
            Distrust::Expired | Distrust::NotYetValid => Notice::CardExpired,
            Distrust::Revoked => Notice::CardRevoked,
            Distrust::ListMissing | Distrust::ListStale => Notice::RevocationListOld,
            Distrust::NoIssuers
            | Distrust::WrongPolicy
            | Distrust::UnknownIssuer
            | Distrust::WrongPurpose
            | Distrust::Malformed => Notice::CardNotTrusted,
        },
    }
}
