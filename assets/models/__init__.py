"""What the registry keeps: things with an identity, and dated claims about them."""

from assets.models.asset import Asset, AssetKind
from assets.models.chain import Chain, ChainFamily
from assets.models.claims import Brought, Claim
from assets.models.deployments import Deployment
from assets.models.findings import Finding, FindingKind, FindingState
from assets.models.flags import FlagKind, FlagSource, QualityFlag, Severity
from assets.models.groups import AssetGroup, GroupMember
from assets.models.imports import Deed, ImportBatch, ImportRow, ImportState, Outcome
from assets.models.merges import Merge
from assets.models.names import Alias, Identifier, Scheme
from assets.models.relations import (
    ACYCLIC,
    BACKED_BY,
    RatioRule,
    Relationship,
    RelationshipKind,
)

__all__ = [
    "ACYCLIC",
    "BACKED_BY",
    "Alias",
    "Asset",
    "AssetGroup",
    "AssetKind",
    "Brought",
    "Chain",
    "ChainFamily",
    "Claim",
    "Deed",
    "Deployment",
    "Finding",
    "FindingKind",
    "FindingState",
    "FlagKind",
    "FlagSource",
    "GroupMember",
    "Identifier",
    "ImportBatch",
    "ImportRow",
    "ImportState",
    "Merge",
    "Outcome",
    "QualityFlag",
    "RatioRule",
    "Relationship",
    "RelationshipKind",
    "Scheme",
    "Severity",
]
