"""The words of the formats: statuses, answers, specimens, code systems. No finding, number or dose stands here.

Each code was seen with its display in a public file: specimens in WHO DDCC, CH Lab-Order and mCODE (v2-0487), answers
in mCODE, HL7 Phenomics Exchange and the German MII microbiology guide, UBERON and PATO in published data dictionaries;
the interpretation codes are FHIR R4's. A code not seen (marrow in v2-0487) is left out: the specimen is then not said.
"""

from __future__ import annotations

from typing import Final

POEMS: Final = "urn:poems:concept"
"""The system of our own concept ids, for concepts that no terminology has a code for; `poems:` in a phenopacket."""

SYSTEMS: Final = {
    POEMS: "poems", "poems": "poems",
    "http://loinc.org": "loinc", "https://loinc.org": "loinc", "urn:oid:2.16.840.1.113883.6.1": "loinc",
    "http://snomed.info/sct": "snomed", "urn:oid:2.16.840.1.113883.6.96": "snomed",
    "http://human-phenotype-ontology.org": "hpo", "http://purl.obolibrary.org/obo/hp.owl": "hpo",
    "http://purl.obolibrary.org/obo/hp.fhir": "hpo", "http://purl.obolibrary.org/obo/HP": "hpo",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10cm", "urn:oid:2.16.840.1.113883.6.90": "icd10cm",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm", "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
    "http://purl.obolibrary.org/obo/mondo.owl": "mondo", "http://purl.obolibrary.org/obo/MONDO": "mondo",
    # prefixes of compact identifiers, in capitals
    "LOINC": "loinc", "HP": "hpo", "HPO": "hpo", "SNOMED": "snomed", "SNOMEDCT": "snomed", "SCTID": "snomed",
    "SNOMEDCT_US": "snomed", "ICD10CM": "icd10cm", "ICD-10-CM": "icd10cm", "RXNORM": "rxnorm", "RXCUI": "rxnorm",
    "MONDO": "mondo", "OMOP": "omop", "POEMS": "poems",
}
"""How inputs name a code system -> how the knowledge names it."""

PREFIXED: Final = {"hpo": "HP:", "mondo": "MONDO:"}
"""Systems whose codes carry their prefix."""

STATES: Final = frozenset({"hpo", "mondo", "icd10cm", "snomed"})
"""Systems whose codes can say that something is so; LOINC only names what was looked for."""

PRESENT_WORDS: Final = frozenset({"present", "positive", "pos", "yes", "y", "true", "detected", "seen", "reactive"})
ABSENT_WORDS: Final = frozenset({"absent", "negative", "neg", "no", "n", "false", "not detected", "not seen",
                                 "none detected", "non-reactive", "nonreactive", "not present"})
RAISED_WORDS: Final = frozenset({"present", "raised", "high", "elevated", "increased", "above normal"})
NOT_RAISED_WORDS: Final = frozenset({"absent", "not raised", "not elevated", "normal", "low", "within normal limits",
                                     "decreased", "below normal"})
OPEN_WORDS: Final = frozenset({"unknown", "not done", "not tested", "not assessed", "pending", "equivocal",
                               "indeterminate", "inconclusive", "borderline", "not known", "not examined"})
"""Words that leave the finding unknown: read, noted, and no event."""

SPECIMEN_WORDS: Final = {
    "serum": "serum", "blood serum": "serum", "plasma": "plasma", "blood plasma": "plasma", "edta plasma": "plasma",
    "citrate plasma": "plasma", "citrated plasma": "plasma", "heparin plasma": "plasma", "urine": "urine",
    "csf": "csf", "cerebrospinal fluid": "csf", "cerebral spinal fluid": "csf", "marrow": "marrow",
    "bone marrow": "marrow", "serum specimen": "serum", "plasma specimen": "plasma", "urine specimen": "urine",
    "bone marrow specimen": "marrow", "cerebrospinal fluid specimen": "csf",
    # words that are neither serum nor plasma, and so do not say which
    "blood": "", "whole blood": "", "venous blood": "", "blood specimen": "", "serum or plasma": "", "not said": "",
}

_V2 = "http://terminology.hl7.org/CodeSystem/v2-0487"
SPECIMEN_CODES: Final = {
    ("snomed", "119364003"): "serum", ("snomed", "119361006"): "plasma", ("snomed", "122575003"): "urine",
    ("snomed", "258450006"): "csf", ("snomed", "119359002"): "marrow", ("snomed", "119297000"): "",
    (_V2, "SER"): "serum", (_V2, "PLAS"): "plasma", (_V2, "CSF"): "csf", (_V2, "BLD"): "",
    ("UBERON", "0001977"): "serum", ("UBERON", "0001969"): "plasma", ("UBERON", "0001088"): "urine",
    ("UBERON", "0001359"): "csf", ("UBERON", "0002371"): "marrow", ("UBERON", "0000178"): "",
}

_V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ANSWER_CODES: Final = {
    ("snomed", "10828004"): "positive", ("snomed", "260385009"): "negative", ("snomed", "260373001"): "detected",
    ("snomed", "260415000"): "not detected", ("snomed", "52101004"): "present", ("snomed", "2667000"): "absent",
    ("loinc", "LA6576-8"): "positive", ("loinc", "LA6577-6"): "negative", ("loinc", "LA9633-4"): "present",
    ("loinc", "LA9634-2"): "absent", ("PATO", "0000467"): "present", ("PATO", "0000462"): "absent",
    ("poems", "present"): "present", ("poems", "absent"): "absent",
    (_V3, "POS"): "positive", (_V3, "NEG"): "negative", (_V3, "DET"): "detected", (_V3, "ND"): "not detected",
    (_V3, "H"): "high", (_V3, "HH"): "high", (_V3, "HU"): "high", (_V3, "N"): "normal", (_V3, "L"): "low",
    (_V3, "LL"): "low", (_V3, "LU"): "low", (_V3, "IND"): "indeterminate", (_V3, "E"): "equivocal",
}
INTERPRETATIONS: Final = {code: word for (system, code), word in ANSWER_CODES.items() if system == _V3}
"""Interpretation code -> word; `A` (abnormal) is not here, because it says no direction."""
