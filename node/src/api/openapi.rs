//! The OpenAPI 3.1 document, made from the table of routes.

use axum::Json;
use serde_json::{Value, json};
use utoipa::openapi::content::Content;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::acts::{ActRequest, InstallRequest, Prepared};
use super::problem::{CONTENT_TYPE, ProblemBody};
use super::routes::{Access, BodyRule, Method, RouteInfo, table};
use crate::public::catalogue::{Distribution, OpenDataset};
use crate::public::intake::{Complaint, OpenApplication, PublicCase, Received};

pub(super) async fn document() -> Json<Value> {
    Json(
        serde_json::to_value(build()).unwrap_or_else(|error| json!({ "error": error.to_string() })),
    )
}

/// The document.
pub(super) fn build() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in table() {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Put => HttpMethod::Put,
        };
        paths = paths.path(route.path, PathItem::new(method, operation(&route)));
    }
    let token = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "令牌见数据目录 tokens.toml；角色 viewer ⊂ operator ⊂ admin",
            ))
            .build(),
    );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("贯通 Guantong")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some("全国一体化政务大数据体系节点接口。错误均为 application/problem+json（RFC 9457），依法拒绝时附条款。"))
                .build(),
        )
        .paths(paths)
        .components(Some(
            ComponentsBuilder::new()
                .schema("Problem", ProblemBody::schema())
                .schema(ActRequest::name(), ActRequest::schema())
                .schema(InstallRequest::name(), InstallRequest::schema())
                .schema(Prepared::name(), Prepared::schema())
                .schema("PrepareRequest", prepare_request())
                .schema(OpenDataset::name(), OpenDataset::schema())
                .schema(Distribution::name(), Distribution::schema())
                .schema(OpenApplication::name(), OpenApplication::schema())
                .schema(Complaint::name(), Complaint::schema())
                .schema(Received::name(), Received::schema())
                .schema(PublicCase::name(), PublicCase::schema())
                .security_scheme("token", token)
                .build(),
        ))
        .build()
}

fn prepare_request() -> Schema {
    let body = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "ActBody: one variant by name, such as {\"Apply\": {…}}",
        ))
        .build();
    let at = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some("milliseconds since 1970, UTC"))
        .build();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("body", body)
        .property("at", at)
        .required("body")
        .build()
        .into()
}

fn operation(route: &RouteInfo) -> Operation {
    let role = match route.access {
        Access::Open => "open",
        Access::Public => "public",
        Access::Token(role) => role.id(),
    };
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let mut operation = OperationBuilder::new()
        .operation_id(Some(operation_id(route)))
        .summary(Some(route.zh))
        .description(Some(format!("{}. Role: {role}.", route.en)))
        .response(
            "2XX",
            ResponseBuilder::new()
                .description("OK")
                .content(answer_type(route), answer(route)),
        )
        .response(
            "default",
            ResponseBuilder::new()
                .description("Problem (RFC 9457)")
                .content(CONTENT_TYPE, problem),
        );
    for name in route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    {
        operation = operation.parameter(parameter(name, ParameterIn::Path, true));
    }
    for (name, required) in route.query {
        operation = operation.parameter(parameter(name, ParameterIn::Query, *required));
    }
    operation = match route.body {
        BodyRule::None => operation,
        BodyRule::Json(schema, max) => operation.request_body(Some(
            RequestBodyBuilder::new()
                .description(Some(format!("At most {max} bytes.")))
                .content(
                    "application/json",
                    Content::new(Some(RefOr::Ref(Ref::from_schema_name(schema)))),
                )
                .required(Some(Required::True))
                .build(),
        )),
        BodyRule::Stream => operation.request_body(Some(
            RequestBodyBuilder::new()
                .content("application/octet-stream", Content::default())
                .required(Some(Required::True))
                .build(),
        )),
    };
    match route.access {
        Access::Open | Access::Public => operation.build(),
        Access::Token(_) => operation
            .security(SecurityRequirement::new("token", Vec::<String>::new()))
            .build(),
    }
}

fn parameter(name: &str, place: ParameterIn, required: bool) -> Parameter {
    let number = matches!(name, "limit" | "wait_ms" | "sequence");
    let schema =
        ObjectBuilder::new().schema_type(if number { Type::Integer } else { Type::String });
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if required {
            Required::True
        } else {
            Required::False
        })
        .schema(Some(schema))
        .build()
}

fn operation_id(route: &RouteInfo) -> String {
    let method = match route.method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
    };
    let words = route
        .path
        .trim_start_matches("/api/v1")
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}

fn answer_type(route: &RouteInfo) -> &'static str {
    match route.path {
        "/metrics" => "application/openmetrics-text",
        "/api/v1/objects/{digest}"
        | "/open/v1/catalogue/{id}/{format}"
        | "/open/v1/applications/{receipt}/file" => "application/octet-stream",
        _ => "application/json",
    }
}

fn answer(route: &RouteInfo) -> Content {
    let named = |schema| Content::new(Some(RefOr::Ref(Ref::from_schema_name(schema))));
    match route.path {
        "/api/v1/acts/prepare" => named("Prepared"),
        "/open/v1/catalogue/{id}" => named("OpenDataset"),
        "/open/v1/applications" | "/open/v1/complaints" => named("Received"),
        "/open/v1/applications/{receipt}" | "/open/v1/complaints/{receipt}" => named("PublicCase"),
        _ => Content::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_3_1_and_lists_every_route_with_its_method_and_role() {
        let document = serde_json::to_value(build()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut listed = 0;
        for route in table() {
            let method = match route.method {
                Method::Get => "get",
                Method::Post => "post",
                Method::Put => "put",
            };
            let operation = &document["paths"][route.path][method];
            assert!(operation.is_object(), "{method} {} is missing", route.path);
            assert_eq!(
                operation["security"].is_array(),
                matches!(route.access, Access::Token(_)),
                "{}",
                route.path
            );
            listed += 1;
        }
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(
            paths
                .values()
                .map(|item| item.as_object().unwrap().len())
                .sum::<usize>(),
            listed
        );
    }

    #[test]
    fn nothing_is_written_without_a_token_but_what_the_public_asks() {
        for route in table().iter().filter(|route| route.method != Method::Get) {
            assert_ne!(route.access, Access::Open, "{}", route.path);
            let public = route.path.starts_with("/open/v1/");
            assert_eq!(route.access == Access::Public, public, "{}", route.path);
        }
    }

    #[test]
    fn every_schema_that_is_referred_to_is_there_and_ids_are_unique() {
        let document = serde_json::to_value(build()).unwrap();
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        let mut ids: Vec<_> = table().iter().map(operation_id).collect();
        ids.sort();
        let before = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), before);
    }
}
