//! Finality proofs, Merkle paths, state values with proofs, validator sets.

use crate::{
    text::{DigestText, Hex, KeyText},
    views::RiskView,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_crypto::merkle;
use yulian_types::{FinalityProof, ValidatorSet, faults_max};

/// A Merkle path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MerkleView {
    /// The leaf's place, from 0.
    pub index: u64,
    /// Leaves in the tree.
    pub count: u64,
    /// The other half at each level from the leaf up, where there is one.
    pub siblings: Vec<DigestText>,
}

impl From<&merkle::Proof> for MerkleView {
    fn from(proof: &merkle::Proof) -> Self {
        Self {
            index: proof.index,
            count: proof.count,
            siblings: proof.siblings.iter().copied().map(DigestText).collect(),
        }
    }
}

impl From<&MerkleView> for merkle::Proof {
    fn from(view: &MerkleView) -> Self {
        Self {
            index: view.index,
            count: view.count,
            siblings: view.siblings.iter().map(|sibling| sibling.0).collect(),
        }
    }
}

/// A validator that signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignerView {
    /// Index in the validator set.
    pub index: u32,
    /// Public key.
    pub public_key: KeyText,
    /// Name.
    pub name: String,
    /// Cloud.
    pub cloud: String,
}

/// A quorum's signatures over the finalisation of one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalityProofView {
    /// Epoch in which the block was finalised.
    pub epoch: u64,
    /// View of the epoch.
    pub view: u64,
    /// View of the block's parent.
    pub parent_view: u64,
    /// Digest of the block.
    pub digest: DigestText,
    /// Digest of the validator set that signed.
    pub validators: DigestText,
    /// Who signed.
    pub signers: Vec<SignerView>,
    /// The proof as it stands.
    pub bytes: Hex,
}

impl FinalityProofView {
    /// The view of a proof made by `set`; signers outside the set are left out.
    pub fn new(proof: &FinalityProof, set: &ValidatorSet) -> Self {
        let signer = |index: &u32| {
            let validator = set.validators().get(*index as usize)?;
            Some(SignerView {
                index: *index,
                public_key: KeyText(*set.keys().get(*index as usize)?),
                name: validator.name.clone(),
                cloud: validator.cloud.clone(),
            })
        };
        Self {
            epoch: proof.epoch,
            view: proof.view,
            parent_view: proof.parent_view,
            digest: DigestText(proof.digest),
            validators: DigestText(set.digest()),
            signers: proof.signers.iter().filter_map(signer).collect(),
            bytes: Hex(proof.encode()),
        }
    }
}

/// That a height is final: the headers from it up to a finalised descendant (or itself), and the proof for that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalityView {
    /// The height that is proven.
    pub height: u64,
    /// Headers from that height up, ascending, each the parent of the next; the last one is the block of `proof`.
    pub headers: Vec<Hex>,
    /// Finality proof of the last header.
    pub proof: FinalityProofView,
}

/// A value of the state, or its absence, with the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
    /// Name of the module.
    pub module: String,
    /// Its id, the first four bytes of the path.
    pub module_id: u32,
    /// The key.
    pub key: Hex,
    /// The value after the block of `height`; absent when there is none, and when there was one that is no longer held: see
    /// `value_hash`.
    pub value: Option<Hex>,
    /// Hash of the value after the block of `height`, which `proof` proves; absent when there is none. For a former height
    /// the node may know no more than this: it keeps the hashes of values that were overwritten, not the values.
    pub value_hash: Option<DigestText>,
    /// The block after which this holds.
    pub height: u64,
    /// State root after that block, `parent_state_root` of the first header of `finality`.
    pub state_root: DigestText,
    /// The state tree's proof of presence or absence, as described in docs/formats.md.
    pub proof: Hex,
    /// That the header of height + 1, which carries the root, is final.
    pub finality: FinalityView,
}

/// Which values of the state are asked for together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateRequest {
    /// Name or number of the module.
    pub module: String,
    /// The keys, 1 to 256, each of up to 256 bytes.
    #[schema(min_items = 1, max_items = 256)]
    pub keys: Vec<Hex>,
    /// The state after the block of this height; the last provable one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
}

/// One of several values, or its absence, with the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateItem {
    /// The value; absent when there is none, and when there was one that is no longer held: see `value_hash`.
    pub value: Option<Hex>,
    /// Hash of the value, which `proof` proves; absent when there is none.
    pub value_hash: Option<DigestText>,
    /// The state tree's proof of presence or absence, as described in docs/formats.md.
    pub proof: Hex,
}

/// Several values of one state, under one final header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatesView {
    /// Name of the module.
    pub module: String,
    /// Its id, the first four bytes of the paths.
    pub module_id: u32,
    /// The block after which this holds.
    pub height: u64,
    /// State root after that block, `parent_state_root` of the first header of `finality`.
    pub state_root: DigestText,
    /// For each key, in the order in which they were asked for.
    pub items: Vec<StateItem>,
    /// That the header of height + 1, which carries the root, is final.
    pub finality: FinalityView,
}

/// A validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    /// Public key.
    pub public_key: KeyText,
    /// Name.
    pub name: String,
    /// Cloud, its fault domain.
    pub cloud: String,
    /// Organisation id.
    pub organisation: String,
}

/// A validator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorSetView {
    /// SM3("ylValSet" ‖ bytes).
    pub digest: DigestText,
    /// Signatures that finalise a block.
    pub quorum: u32,
    /// Most faulty validators that the set tolerates.
    pub faults_max: u32,
    /// The validators in the order of their index.
    pub validators: Vec<ValidatorView>,
    /// The risk that members accepted with the set, where one cloud can stop the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskView>,
    /// The set as it is hashed.
    pub bytes: Hex,
}

impl ValidatorSetView {
    /// The view of a set with the risk that was accepted with it.
    pub fn new(set: &ValidatorSet, risk: Option<RiskView>) -> Self {
        Self {
            risk,
            ..Self::from(set)
        }
    }
}

impl From<&ValidatorSet> for ValidatorSetView {
    fn from(set: &ValidatorSet) -> Self {
        Self {
            digest: DigestText(set.digest()),
            quorum: set.quorum() as u32,
            faults_max: faults_max(set.len()) as u32,
            validators: validator_views(set),
            risk: None,
            bytes: Hex(set.encode()),
        }
    }
}

/// The validators of a set in the order of their index.
pub fn validator_views(set: &ValidatorSet) -> Vec<ValidatorView> {
    let view = |(key, validator): (&_, &yulian_types::proto::Validator)| ValidatorView {
        public_key: KeyText(*key),
        name: validator.name.clone(),
        cloud: validator.cloud.clone(),
        organisation: validator.organisation.clone(),
    };
    set.keys().iter().zip(set.validators()).map(view).collect()
}

/// The validators in force and those of the next epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorsView {
    /// Epoch in force.
    pub epoch: u64,
    /// Last height of that epoch.
    pub epoch_last_height: u64,
    /// First height at which the set in force was in force without interruption.
    pub since_height: u64,
    /// The set in force.
    pub current: ValidatorSetView,
    /// The set of the next epoch as decided so far, if another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<ValidatorSetView>,
}

/// One change of the validator set, final under the set before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorChangeView {
    /// First epoch of the new set.
    pub first_epoch: u64,
    /// First height at which it is in force.
    pub first_height: u64,
    /// The new set.
    pub set: ValidatorSetView,
    /// That the last header of the epoch before, which names the new set in `next_validators`, is final; absent for the genesis set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finality: Option<FinalityView>,
}

/// Changes of the validator set in ascending order, the genesis set first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorHistory {
    /// The changes.
    pub items: Vec<ValidatorChangeView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
