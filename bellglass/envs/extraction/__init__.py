"""The tables behind environments that do not lay them open."""

from .front import extract as extract
from .report import Check as Check
from .report import Extraction as Extraction
from .report import ExtractionError as ExtractionError
from .report import Report as Report
