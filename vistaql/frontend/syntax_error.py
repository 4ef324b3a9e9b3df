"""x"""
from lark import Lark
from lark.exceptions import UnexpectedInput
from vistaql.errors import Code, Span, VistaQLError
def syntax_error(language: Lark, text: str, start: str, error: UnexpectedInput) -> VistaQLError:
    p=error.pos_in_stream or 0
    return VistaQLError(Code.SYNTAX, "x"+text[p:p+20]+str(error)[:300], Span(p,p+1))
