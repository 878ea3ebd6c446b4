//! The register of a system chain; empty on any other.

use super::{
    ChainApi, errors,
    page::{cursor, cut},
};
use bytes::Bytes;
use yulian_api::{ApiError, PageRequest, views::*};
use yulian_crypto::sm2::PublicKey;
use yulian_engine::Runtime;
use yulian_exec::{chains, tables};
use yulian_store::Kv;
use yulian_types::{StateKey, proto};

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) async fn list_chains(&self, page: PageRequest) -> Result<ChainRecordPage, ApiError> {
        let after: Option<String> = cursor(&page)?;
        let (_, values) = self
            .read_tip(|state| {
                let list: Option<proto::NameList> = state.record(&chains::chains(), "chains")?;
                let names = list.unwrap_or_default().names.into_iter();
                let names = names.filter(|name| after.as_ref().is_none_or(|after| name > after));
                let records = names
                    .take(page.limit + 1)
                    .map(|name| state.get(&StateKey::chain(&name)));
                records.collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let views = values.iter().flatten().map(ChainRecordView::decode);
        let views = views.collect::<Result<Vec<_>, _>>();
        let views = views.map_err(|error| errors::record(&error))?;
        let (items, next) = cut(views, page.limit, |view| view.name.clone());
        Ok(ChainRecordPage { items, next })
    }

    pub(super) async fn list_templates(&self) -> Result<TemplateList, ApiError> {
        let (_, values) = self
            .read_tip(|state| {
                let list: Option<proto::NameList> = state.record(&chains::templates(), "templates")?;
                let names = list.unwrap_or_default().names.into_iter();
                let records = names.map(|name| state.get(&chains::template(&name)));
                records.collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let views = values.iter().flatten().map(TemplateView::decode);
        let items = views
            .collect::<Result<_, _>>()
            .map_err(|error| errors::record(&error))?;
        Ok(TemplateList { items })
    }

    pub(super) async fn list_offers(&self, page: PageRequest) -> Result<OfferPage, ApiError> {
        let after: Option<PublicKey> = cursor(&page)?;
        let after = after.map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let (_, records) = self
            .read_tip(|state| {
                let list: Option<proto::NodeList> = state.record(&tables::nodes(), "nodes")?;
                let keys = list.unwrap_or_default().public_keys.into_iter();
                let keys = keys.filter(|key| after.as_ref().is_none_or(|after| key > after));
                let mut records = Vec::new();
                for key in keys {
                    let node: Option<proto::NodeRecord> = state.record(&tables::node(&key), "node")?;
                    let offer: Option<proto::NodeOffer> = state.record(&chains::offer(&key), "offer")?;
                    records.extend(node.zip(offer));
                    if records.len() > page.limit {
                        break;
                    }
                }
                Ok(records)
            })
            .await?;
        let views = records.into_iter().map(|(node, offer)| OfferView::new(&node, offer));
        let views = views.collect::<Result<Vec<_>, _>>();
        let views = views.map_err(|error| errors::record(&error))?;
        let (items, next) = cut(views, page.limit, |view| view.node.to_string());
        Ok(OfferPage { items, next })
    }
}
