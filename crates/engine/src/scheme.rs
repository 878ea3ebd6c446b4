//! Votes and quorum certificates with plain SM2 signatures.

use crate::keys::{EngineDigest, EngineKey, EngineSignature, NodeSigner};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error as CodecError, Read, ReadRangeExt, Write, types::lazy::Lazy};
use commonware_consensus::{
    simplex::{
        scheme::Namespace,
        types::{Finalization, Proposal, Subject},
    },
    types::{Epoch, Round, View},
};
use commonware_cryptography::{
    self as library,
    certificate::{
        self, AssemblyError, Attestation, Membership, Namespace as _, Signers, Subject as _, Verification,
        verify_then_assemble,
    },
};
use commonware_parallel::Strategy;
use commonware_utils::{
    N3f1, Participant, TryCollect,
    iter::NonEmpty,
    ordered::{Quorum, Set},
};
use rand_core::CryptoRng;
use std::collections::BTreeSet;
use yulian_crypto::sm2;
use yulian_types::{Digest, FinalityProof, ValidatorSet, namespace};

/// The validators of an epoch, and this node's place among them.
#[derive(Clone, Debug)]
pub(crate) struct Sm2Scheme {
    participants: Set<EngineKey>,
    me: Option<(Participant, NodeSigner)>,
    namespace: Namespace,
}

/// The keys of a set in the library's order, which is ours: ascending bytes.
pub(crate) fn participants(set: &ValidatorSet) -> Set<EngineKey> {
    key_set(set.keys())
}

/// A library set of keys.
pub(crate) fn key_set<'a>(keys: impl IntoIterator<Item = &'a sm2::PublicKey>) -> Set<EngineKey> {
    let keys: BTreeSet<EngineKey> = keys.into_iter().map(EngineKey::from).collect();
    keys.into_iter().try_collect().expect("a BTreeSet holds no key twice")
}

impl Sm2Scheme {
    /// A signing scheme where the set holds the node's key, else one that only verifies.
    pub(crate) fn new(chain_id: &Digest, set: &ValidatorSet, signer: &NodeSigner) -> Self {
        let participants = participants(set);
        let me = Quorum::index(&participants, &library::Signer::public_key(signer)).map(|i| (i, signer.clone()));
        Self {
            participants,
            me,
            namespace: Namespace::derive(&namespace(chain_id)),
        }
    }

    /// This node votes in the epoch.
    pub(crate) fn validating(&self) -> bool {
        self.me.is_some()
    }

    /// Number of validators.
    pub(crate) fn size(&self) -> usize {
        self.participants.len()
    }
}

/// Signer bitmap and one signature for each set bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sm2Certificate {
    signers: Signers,
    signatures: Vec<Lazy<EngineSignature>>,
}

impl Write for Sm2Certificate {
    fn write(&self, out: &mut impl BufMut) {
        self.signers.write(out);
        self.signatures.write(out)
    }
}

impl EncodeSize for Sm2Certificate {
    fn encode_size(&self) -> usize {
        self.signers.encode_size() + self.signatures.encode_size()
    }
}

impl Read for Sm2Certificate {
    type Cfg = usize;

    fn read_cfg(input: &mut impl Buf, participants_max: &usize) -> Result<Self, CodecError> {
        let signers = Signers::read_cfg(input, participants_max)?;
        let signatures = Vec::<Lazy<EngineSignature>>::read_range(input, ..=*participants_max)?;
        if signers.count() == 0 || signers.count() != signatures.len() {
            return Err(CodecError::Invalid(
                "Sm2Certificate",
                "signers and signatures differ in number",
            ));
        }
        Ok(Self { signers, signatures })
    }
}

impl certificate::Verifier for Sm2Scheme {
    type Subject<'a, D: library::Digest> = Subject<'a, D>;
    type Faults = N3f1;
    type PublicKey = EngineKey;
    type Certificate = Sm2Certificate;

    fn verify_certificate<R: CryptoRng, D: library::Digest>(
        &self,
        _: &mut R,
        subject: Subject<'_, D>,
        certificate: &Sm2Certificate,
        _: &impl Strategy,
    ) -> bool {
        let found = certificate.signatures.len();
        if certificate.signers.len() != self.participants.len()
            || certificate.signers.count() != found
            || found < self.participants.quorum::<N3f1>() as usize
        {
            return false;
        }
        let (namespace, message) = (subject.namespace(&self.namespace), subject.message());
        certificate
            .signers
            .iter()
            .zip(&certificate.signatures)
            .all(
                |(index, signature)| match (self.participants.key(index), signature.get()) {
                    (Some(key), Some(signature)) => library::Verifier::verify(key, namespace, &message, signature),
                    _ => false,
                },
            )
    }

    fn is_batchable() -> bool {
        false
    }

    fn max_certificate_size(participants: u32) -> usize {
        10 + (participants as usize).div_ceil(8) + 5 + participants as usize * 64
    }

    fn certificate_codec_config(&self) -> usize {
        self.participants.len()
    }

    fn certificate_codec_config_unbounded() -> usize {
        yulian_types::limits::VALIDATORS_MAX
    }
}

impl certificate::Scheme for Sm2Scheme {
    type Signature = EngineSignature;

    fn me(&self) -> Option<Membership> {
        self.me.as_ref().map(|(index, _)| Membership::Signer(*index))
    }

    fn participants(&self) -> &Set<EngineKey> {
        &self.participants
    }

    fn sign<D: library::Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        let (index, signer) = self.me.as_ref()?;
        match signer.try_sign(subject.namespace(&self.namespace), &subject.message()) {
            Ok(signature) => Some(Attestation {
                signer: *index,
                signature: signature.into(),
            }),
            Err(error) => {
                tracing::error!(%error, "the node's key could not sign a vote");
                None
            }
        }
    }

    fn verify_attestation<R: CryptoRng, D: library::Digest>(
        &self,
        _: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        _: &impl Strategy,
    ) -> bool {
        match (self.participants.key(attestation.signer), attestation.signature.get()) {
            (Some(key), Some(signature)) => {
                library::Verifier::verify(key, subject.namespace(&self.namespace), &subject.message(), signature)
            }
            _ => false,
        }
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Sm2Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: library::Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        verify_then_assemble::<Self, _, D, _, _>(self, rng, subject, pending, verified, strategy)
    }

    fn assemble<I>(&self, attestations: NonEmpty<I>, _: &impl Strategy) -> Result<Sm2Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        let mut signed = Vec::new();
        for attestation in attestations {
            let signature = attestation.signature.get().cloned();
            signed.push((
                attestation.signer,
                signature.ok_or(AssemblyError::MalformedSignature(attestation.signer))?,
            ));
        }
        signed.sort_by_key(|(index, _)| *index);
        let signers = Signers::new(self.participants.len() as u32, signed.iter().map(|(index, _)| *index))?;
        let (quorum, found) = (self.participants.quorum::<N3f1>(), signed.len() as u32);
        if found < quorum {
            return Err(AssemblyError::InsufficientAttestations(quorum, found));
        }
        Ok(Sm2Certificate {
            signers,
            signatures: signed.into_iter().map(|(_, s)| Lazy::from(s)).collect(),
        })
    }

    fn is_attributable() -> bool {
        true
    }
}

/// The engine's certificate as our own proof.
pub(crate) fn to_proof(finalization: &Finalization<Sm2Scheme, EngineDigest>) -> Option<FinalityProof> {
    let (proposal, certificate) = (&finalization.proposal, &finalization.certificate);
    let signatures: Option<Vec<_>> = certificate
        .signatures
        .iter()
        .map(|s| s.get().and_then(EngineSignature::to_sm2))
        .collect();
    Some(FinalityProof {
        epoch: proposal.round.epoch().get(),
        view: proposal.round.view().get(),
        parent_view: proposal.parent.get(),
        digest: proposal.payload.into(),
        signers: certificate.signers.iter().map(|index| index.get()).collect(),
        set_size: certificate.signers.len() as u32,
        signatures: signatures?,
    })
}

/// Our proof as the engine's certificate.
pub(crate) fn from_proof(proof: &FinalityProof) -> Option<Finalization<Sm2Scheme, EngineDigest>> {
    let signers = proof.signers.iter().map(|index| Participant::new(*index));
    let round = Round::new(Epoch::new(proof.epoch), View::new(proof.view));
    Some(Finalization {
        proposal: Proposal::new(round, View::new(proof.parent_view), proof.digest.into()),
        certificate: Sm2Certificate {
            signers: Signers::new(proof.set_size, signers).ok()?,
            signatures: proof
                .signatures
                .iter()
                .map(|s| Lazy::from(EngineSignature::from(*s)))
                .collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_consensus::simplex::types::Finalize;
    use commonware_parallel::Sequential;
    use std::sync::Arc;
    use yulian_crypto::sm2::{FastVerifier, SecretKey, Signer as _, Verifier as _};
    use yulian_types::{finality_message, proto::Validator};

    fn keys() -> Vec<SecretKey> {
        (1..=4)
            .map(|n| SecretKey::from_bytes(&[n; 32]).expect("a key"))
            .collect()
    }

    fn set() -> ValidatorSet {
        let validator = |key: &SecretKey| Validator {
            public_key: key.public_key().as_bytes().to_vec().into(),
            name: "v".into(),
            cloud: "c".into(),
            organisation: "o".into(),
        };
        ValidatorSet::new(keys().iter().map(validator).collect()).expect("a set")
    }

    fn schemes(chain: &Digest) -> Vec<Sm2Scheme> {
        keys()
            .into_iter()
            .map(|key| Sm2Scheme::new(chain, &set(), &NodeSigner(Arc::new(key))))
            .collect()
    }

    fn proposal(digest: Digest) -> Proposal<EngineDigest> {
        Proposal::new(Round::new(Epoch::new(300), View::new(7)), View::new(6), digest.into())
    }

    /// Old proofs stay valid over every upgrade of the library: the bytes that it signs are those of our format.
    #[test]
    fn the_engine_signs_the_bytes_of_our_finality_proof() {
        let (chain, digest) = (Digest([9; 32]), Digest([5; 32]));
        for (scheme, key) in schemes(&chain).iter().zip(keys()) {
            let vote = Finalize::sign(scheme, proposal(digest)).expect("a validator signs");
            let signature = vote
                .attestation
                .signature
                .get()
                .and_then(EngineSignature::to_sm2)
                .expect("a signature");
            let message = finality_message(&chain, 300, 7, 6, &digest);
            assert!(FastVerifier::default().verify(&key.public_key(), &message, &signature));
            let other = finality_message(&Digest([8; 32]), 300, 7, 6, &digest);
            assert!(!FastVerifier::default().verify(&key.public_key(), &other, &signature));
        }
    }

    #[test]
    fn certificates_and_proofs_are_each_others_image() {
        let (chain, digest) = (Digest([9; 32]), Digest([5; 32]));
        let votes: Vec<_> = schemes(&chain)
            .iter()
            .skip(1)
            .map(|scheme| Finalize::sign(scheme, proposal(digest)).expect("a validator signs"))
            .collect();
        let votes = NonEmpty::try_new(votes.into_iter()).expect("three votes");
        let certificate = Finalization::from_owned_finalizes(&schemes(&chain)[0], votes, &Sequential)
            .expect("three of four are a quorum");
        let proof = to_proof(&certificate).expect("signatures");
        assert_eq!(
            (proof.epoch, proof.view, proof.parent_view, proof.digest),
            (300, 7, 6, digest)
        );
        assert_eq!(proof.signers.len(), 3);
        proof
            .verify(&chain, &set(), &FastVerifier::default())
            .expect("our own verifier accepts it");
        assert_eq!(FinalityProof::decode(&proof.encode(), 4).expect("decodes"), proof);
        assert_eq!(from_proof(&proof), Some(certificate));
    }
}
