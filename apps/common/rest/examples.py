"""Examples for the schema: made from what it says, so that they cannot disagree with it."""

from collections.abc import Iterator, Mapping
from typing import Any

# By format, else by type: what stands where nobody knows better.
FORMATS = {
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057",
    "date-time": "2026-11-20T09:30:00Z",
    "date": "2026-11-20",
    "email": "ada@example.com",
    "uri": "https://shop.example/api/v1/products?cursor=WyJuYW1lIl0",
}


class Examples:
    """``words`` are examples by ``Component.property``, else by property, of any component."""

    def __init__(self, components: Mapping[str, dict], words: Mapping[str, Any]):
        self.components = components
        self.words = words
        self.under_way: list[str] = []  # components that hold the one being made

    def of(self, schema: dict, name: str = "", owner: str = "") -> Any:
        """A value that fits ``schema``, the property ``name`` of the component ``owner``."""
        for key in (f"{owner}.{name}", name):
            if key in self.words:
                return self.words[key]
        if reference := schema.get("$ref"):
            component = reference.rpartition("/")[2]
            self.under_way.append(component)
            try:
                return self.of(self.components[component], name, component)
            finally:
                self.under_way.pop()
        found, value = _stated(schema)
        return value if found else self._made(schema, name, owner)

    def _made(self, schema: dict, name: str, owner: str) -> Any:
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return self.of(_most_telling(schema[word]), name, owner)
        if "allOf" in schema:
            parts = [self.of(part, name, owner) for part in schema["allOf"]]
            if not all(isinstance(part, dict) for part in parts):
                return parts[0]
            merged = {key: value for part in parts for key, value in part.items()}
            return merged | self._object(schema, owner)
        kinds = schema.get("type", "object")
        kind = next(k for k in kinds if k != "null") if isinstance(kinds, list) else kinds
        if kind == "object":
            return self._object(schema, owner)
        if kind == "array":
            items = schema.get("items", {})
            if items.get("$ref", "").rpartition("/")[2] in self.under_way:
                return []  # a tree ends here
            return [self.of(items, name, owner)] * max(1, schema.get("minItems", 1))
        return _plain(kind, schema)

    def _object(self, schema: dict, owner: str) -> dict:
        properties = schema.get("properties", {})
        return {name: self.of(inner, name, owner) for name, inner in properties.items()}


def _stated(schema: dict) -> tuple[bool, Any]:
    """Whether the schema itself names a value, and which."""
    for word in ("example", "const"):
        if word in schema:
            return True, schema[word]
    for word in ("examples", "enum"):
        if values := [value for value in schema.get(word, ()) if value is not None]:
            return True, values[0]
    return "default" in schema, schema.get("default")


def _most_telling(schemas: list[dict]) -> dict:
    return next((one for one in schemas if one.get("type") != "null"), schemas[0])


def _plain(kind: str, schema: dict) -> Any:
    match kind:
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
        case "null":
            return None
    text = FORMATS.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def operations(schema: dict) -> Iterator[dict]:
    """Every operation of an OpenAPI document."""
    for item in schema["paths"].values():
        for method in ("get", "put", "post", "delete", "patch"):
            if method in item:
                yield item[method]


def add_examples(schema: dict, words: Mapping[str, Any]) -> None:
    """Gives every JSON body and answer of the document an example, unless it has one."""
    examples = Examples(schema["components"]["schemas"], words)
    for operation in operations(schema):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (body.get("content", {}) for body in bodies):
            for media in content.values():
                if "example" not in media and "examples" not in media:
                    media["example"] = examples.of(media["schema"])
