//! Errors as they leave the interface.

use crate::codes::{Code, Entry, chain_status};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Ref, RefOr, content::ContentBuilder, response::ResponseBuilder},
};

use yulian_types::{CodecError, TransactionError};

/// Most characters of what is appended to a message.
pub const DETAIL_CHARS_MAX: usize = 512;
/// Seconds after which a caller may try again, where that can help.
const RETRY_AFTER_SECONDS: u16 = 1;

/// The body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Stable code, of this interface's catalogue or of a module.
    #[schema(example = "expired")]
    pub code: String,
    /// What failed, Chinese.
    pub message: String,
    /// What failed, English.
    pub message_en: String,
    /// What to do, Chinese.
    pub hint: String,
    /// What to do, English.
    pub hint_en: String,
    /// Number of the request, also in the node's log and in the header `x-request-id`.
    pub request_id: String,
}

/// Texts of a code that is not of this catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// What failed, Chinese.
    pub message: String,
    /// What failed, English.
    pub message_en: String,
    /// What to do, Chinese.
    pub hint: String,
    /// What to do, English.
    pub hint_en: String,
}

/// An error on its way out. The request id is added when the answer is rendered.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: String,
    status: u16,
    texts: Texts,
}

impl ApiError {
    /// An error of the catalogue.
    pub fn new(code: Code) -> Self {
        let Entry {
            code,
            status,
            message,
            message_en,
            hint,
            hint_en,
        } = code.entry();
        let texts = Texts {
            message: message.into(),
            message_en: message_en.into(),
            hint: hint.into(),
            hint_en: hint_en.into(),
        };
        let code = code.into();
        Self(Box::new(Inner { code, status, texts }))
    }

    /// An error of the catalogue with the particulars of the case, the same for both languages: a field name, a
    /// limit, the text of a decoder. Cut at [`DETAIL_CHARS_MAX`].
    pub fn detailed(code: Code, detail: impl fmt::Display) -> Self {
        Self::new(code).with_detail(&detail, &detail)
    }

    /// A refusal by the chain's rules or a module, with the texts of its own catalogue.
    pub fn of_chain(code: impl Into<String>, texts: Texts) -> Self {
        let code = code.into();
        let status = chain_status(&code);
        Self(Box::new(Inner { code, status, texts }))
    }

    /// Appends the particulars of the case to both messages.
    #[must_use]
    pub fn with_detail(mut self, zh: &dyn fmt::Display, en: &dyn fmt::Display) -> Self {
        let cut = |text: String| text.chars().take(DETAIL_CHARS_MAX).collect::<String>();
        let texts = &mut self.0.texts;
        texts.message = format!("{}：{}", texts.message, cut(zh.to_string()));
        texts.message_en = format!("{}: {}", texts.message_en, cut(en.to_string()));
        self
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The texts.
    pub fn texts(&self) -> &Texts {
        &self.0.texts
    }

    /// The body, for one request.
    pub fn body(&self, request_id: &str) -> ErrorBody {
        let Inner { code, texts, .. } = (*self.0).clone();
        ErrorBody {
            code,
            message: texts.message,
            message_en: texts.message_en,
            hint: texts.hint,
            hint_en: texts.hint_en,
            request_id: request_id.into(),
        }
    }

    /// The whole answer, for one request.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.body(request_id))).into_response();
        if matches!(self.0.status, 429 | 503) {
            let seconds = HeaderValue::from(RETRY_AFTER_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// What is wrong with the form of a transaction, in the words of this interface.
impl From<&TransactionError> for ApiError {
    fn from(error: &TransactionError) -> Self {
        let code = match error {
            TransactionError::Envelope(CodecError::TooLong { .. }) => Code::TransactionTooLarge,
            TransactionError::Envelope(CodecError::NotCanonical)
            | TransactionError::Payload(CodecError::NotCanonical) => Code::NotCanonical,
            TransactionError::Kind(_) => Code::UnknownKind,
            TransactionError::Scheme(_) => Code::UnknownScheme,
            _ => Code::MalformedTransaction,
        };
        Self::detailed(code, error)
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiError({}, {})", self.0.code, self.0.texts.message_en)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.texts.message_en)
    }
}

impl std::error::Error for ApiError {}

/// Leaves the error in the extensions: the outermost layer knows the request id and writes the body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Every operation may answer with an error body under any status that is not its success.
impl IntoResponses for ApiError {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ErrorBody::name())))
            .build();
        let response = ResponseBuilder::new()
            .description("error: `code` says which, `hint` what to do")
            .content("application/json", content)
            .build();
        [("default".to_string(), RefOr::T(response))].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_appended_and_cut() {
        let error = ApiError::detailed(Code::BadParameter, "x".repeat(10_000));
        assert_eq!(error.status(), 400);
        let tail = error
            .texts()
            .message_en
            .strip_prefix("a parameter of the request is wrong: ");
        assert_eq!(tail.map(str::len), Some(DETAIL_CHARS_MAX));
    }

    #[test]
    fn codes_of_the_chain_bring_their_own_texts() {
        let texts = Texts {
            message: "摘要已存在".into(),
            message_en: "the digest is deposited already".into(),
            hint: "无需再次存证".into(),
            hint_en: "no need to deposit it again".into(),
        };
        let error = ApiError::of_chain("evidence.already_deposited", texts.clone());
        assert_eq!((error.status(), error.code()), (422, "evidence.already_deposited"));
        assert_eq!(error.body("r1").request_id, "r1");
        assert_eq!(ApiError::of_chain("exec.replayed", texts).status(), 409);
    }
}
