"""The JSON schema of `result.json`, for programs that read it; it follows from the typed models.

Objects may hold more than is said here: readers pass over what they do not know. What is required stays for as long as
`format_version` does.
"""

from __future__ import annotations

from typing import Any

from stresslab.analysis.result_document import ResultDocument

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **ResultDocument.model_json_schema(),
    "title": "stresslab result",
}
"""The schema, draft 2020-12."""
