"""Languages whose definitions are understood: which files they are, their grammars, and what defines
a symbol in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

from tree_sitter import Language, Query

RULES: Final = 1
"""Counts up whenever other definitions are found in the same file."""

_PYTHON: Final = """
(class_definition name: (identifier) @class)
(function_definition name: (identifier) @function)
(class_definition body: (block (function_definition name: (identifier) @method)))
(class_definition body: (block (decorated_definition
  definition: (function_definition name: (identifier) @method))))
(type_alias_statement left: (type (identifier) @type))
"""
_SCRIPT: Final = """
(function_declaration name: (identifier) @function)
(generator_function_declaration name: (identifier) @function)
(method_definition name: [(property_identifier) (private_property_identifier)] @method)
(variable_declarator name: (identifier) @function value: [(arrow_function) (function_expression)])
(assignment_expression left: (member_expression property: (property_identifier) @function)
  right: [(arrow_function) (function_expression)])
(export_statement declaration: (lexical_declaration
  (variable_declarator name: (identifier) @constant)))
"""
_JAVASCRIPT: Final = f"""{_SCRIPT}
(class_declaration name: (identifier) @class)
"""
_TYPESCRIPT: Final = f"""{_SCRIPT}
(class_declaration name: (type_identifier) @class)
(abstract_class_declaration name: (type_identifier) @class)
(interface_declaration name: (type_identifier) @type)
(type_alias_declaration name: (type_identifier) @type)
(enum_declaration name: (identifier) @type)
(function_signature name: (identifier) @function)
(abstract_method_signature name: (property_identifier) @method)
(public_field_definition name: (property_identifier) @method value: (arrow_function))
"""
_GO: Final = """
(function_declaration name: (identifier) @function)
(method_declaration name: (field_identifier) @method)
(type_spec name: (type_identifier) @type)
(type_alias name: (type_identifier) @type)
"""
_RUST: Final = """
(struct_item name: (type_identifier) @type)
(enum_item name: (type_identifier) @type)
(union_item name: (type_identifier) @type)
(trait_item name: (type_identifier) @type)
(type_item name: (type_identifier) @type)
(function_item name: (identifier) @function)
(function_signature_item name: (identifier) @function)
(declaration_list (function_item name: (identifier) @method))
(declaration_list (function_signature_item name: (identifier) @method))
(macro_definition name: (identifier) @function)
"""
_JAVA: Final = """
(class_declaration name: (identifier) @class)
(interface_declaration name: (identifier) @type)
(enum_declaration name: (identifier) @type)
(record_declaration name: (identifier) @class)
(annotation_type_declaration name: (identifier) @type)
(method_declaration name: (identifier) @method)
"""
_C: Final = """
(function_definition declarator: (function_declarator declarator: (identifier) @function))
(function_definition declarator: (pointer_declarator
  declarator: (function_declarator declarator: (identifier) @function)))
(struct_specifier name: (type_identifier) @type body: (_))
(union_specifier name: (type_identifier) @type body: (_))
(enum_specifier name: (type_identifier) @type body: (_))
(type_definition declarator: (type_identifier) @type)
(preproc_function_def name: (identifier) @function)
"""
_CPP: Final = f"""{_C}
(class_specifier name: (type_identifier) @class body: (_))
(function_definition declarator: (function_declarator declarator: (field_identifier) @method))
(function_definition declarator: (function_declarator
  declarator: (qualified_identifier name: (identifier) @method)))
(function_definition declarator: (pointer_declarator declarator: (function_declarator
  declarator: (qualified_identifier name: (identifier) @method))))
(function_definition declarator: (reference_declarator (function_declarator
  declarator: [(identifier) (field_identifier) (qualified_identifier)] @method)))
(field_declaration declarator: (function_declarator declarator: (field_identifier) @method))
(alias_declaration name: (type_identifier) @type)
"""
_C_SHARP: Final = """
(class_declaration name: (identifier) @class)
(record_declaration name: (identifier) @class)
(struct_declaration name: (identifier) @type)
(interface_declaration name: (identifier) @type)
(enum_declaration name: (identifier) @type)
(delegate_declaration name: (identifier) @type)
(method_declaration name: (identifier) @method)
(local_function_statement name: (identifier) @function)
"""
_RUBY: Final = """
(class name: (constant) @class)
(class name: (scope_resolution name: (constant) @class))
(module name: (constant) @type)
(module name: (scope_resolution name: (constant) @type))
(method name: [(identifier) (constant)] @method)
(singleton_method name: [(identifier) (constant)] @method)
"""
_PHP: Final = """
(class_declaration name: (name) @class)
(interface_declaration name: (name) @type)
(trait_declaration name: (name) @type)
(enum_declaration name: (name) @type)
(function_definition name: (name) @function)
(method_declaration name: (name) @method)
"""


class Grammar(NamedTuple):
    """A language's module of tree-sitter, the function in it that gives the language, and what
    defines a symbol."""

    module: str
    function: str
    query: str


GRAMMARS: Final[dict[str, Grammar]] = {
    "python": Grammar("tree_sitter_python", "language", _PYTHON),
    "javascript": Grammar("tree_sitter_javascript", "language", _JAVASCRIPT),
    "typescript": Grammar("tree_sitter_typescript", "language_typescript", _TYPESCRIPT),
    "tsx": Grammar("tree_sitter_typescript", "language_tsx", _TYPESCRIPT),
    "go": Grammar("tree_sitter_go", "language", _GO),
    "rust": Grammar("tree_sitter_rust", "language", _RUST),
    "java": Grammar("tree_sitter_java", "language", _JAVA),
    "c": Grammar("tree_sitter_c", "language", _C),
    "cpp": Grammar("tree_sitter_cpp", "language", _CPP),
    "c_sharp": Grammar("tree_sitter_c_sharp", "language", _C_SHARP),
    "ruby": Grammar("tree_sitter_ruby", "language", _RUBY),
    "php": Grammar("tree_sitter_php", "language_php", _PHP),
}
_SUFFIXES: Final = {
    "python": "py pyi",
    "javascript": "js jsx mjs cjs",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "go": "go",
    "rust": "rs",
    "java": "java",
    "c": "c",
    "cpp": "cc cpp cxx h hh hpp hxx",
    "c_sharp": "cs",
    "ruby": "rb rake",
    "php": "php",
}
_BY_SUFFIX: Final = {
    suffix: language for language, known in _SUFFIXES.items() for suffix in known.split()
}


def language_of(path: str) -> str | None:
    """Return the language of a file by its extension, None for one that is not understood."""
    return _BY_SUFFIX.get(path.rpartition(".")[2].lower()) if "." in path else None


@cache
def grammar(language: str) -> tuple[Language, Query]:
    """Return a language's grammar and the query for its definitions, loaded when first needed."""
    module, function, query = GRAMMARS[language]
    load: Callable[[], Any] = getattr(import_module(module), function)
    known = Language(load())
    return known, Query(known, query)
