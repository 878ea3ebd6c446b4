//! Validation against the document, by a JSON Schema implementation that is not ours.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

const ADDRESS: &str = "https://yulian.test/node.json";

pub(crate) struct Document {
    pub(crate) value: Value,
    compiler: Compiler,
    schemas: Schemas,
}

/// An operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) value: Value,
}

impl Document {
    pub(crate) fn new() -> Self {
        let value: Value = serde_json::from_str(&yulian_api::document_json()).expect("JSON");
        let mut compiler = Compiler::new();
        compiler.add_resource(ADDRESS, value.clone()).expect("document");
        Self {
            value,
            compiler,
            schemas: Schemas::new(),
        }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let paths = self.value["paths"].as_object().expect("paths");
        let of_path = |(path, item): (&String, &Value)| {
            let operation = |(method, value): (&String, &Value)| Operation {
                id: value["operationId"].as_str().expect("operationId").into(),
                method: method.clone(),
                path: path.clone(),
                value: value.clone(),
            };
            item.as_object()
                .expect("item")
                .iter()
                .map(operation)
                .collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    fn compile(&mut self, pointer: &str) -> SchemaIndex {
        let address = format!("{ADDRESS}#{pointer}");
        let compiled = self.compiler.compile(&address, &mut self.schemas);
        compiled.unwrap_or_else(|error| panic!("{pointer}: {error:#}"))
    }

    /// Checks an instance against a named schema.
    pub(crate) fn check_named(&mut self, name: &str, instance: &Value) {
        self.check(&format!("/components/schemas/{name}"), instance);
    }

    /// Checks an answer's body against what the operation declares for its status and content type.
    pub(crate) fn check_answer(&mut self, operation: &Operation, status: u16, kind: &str, body: &Value) {
        let declared = &operation.value["responses"];
        let key = Some(status.to_string()).filter(|key| declared.get(key).is_some());
        let key = key.unwrap_or_else(|| "default".into());
        let content = &declared[&key]["content"];
        assert!(
            content.get(kind).is_some(),
            "{}: {status} {kind} is not declared",
            operation.id
        );
        let path = escape(&operation.path);
        let kind = escape(kind);
        let method = &operation.method;
        self.check(
            &format!("/paths/{path}/{method}/responses/{key}/content/{kind}/schema"),
            body,
        );
    }

    fn check(&mut self, pointer: &str, instance: &Value) {
        let schema = self.compile(pointer);
        if let Err(error) = self.schemas.validate(instance, schema) {
            panic!("{pointer}: {error:#}\n{instance:#}");
        }
    }
}

/// A JSON pointer token in the fragment of a URL.
fn escape(token: &str) -> String {
    let token = token.replace('~', "~0").replace('/', "~1");
    token.replace('{', "%7B").replace('}', "%7D")
}
