"""The addresses of the registry, under `/api/v1/`."""

from __future__ import annotations

from django.urls import path

from assets.api import (
    assets,
    chains,
    deployments,
    findings,
    flags,
    groups,
    merges,
    names,
    relations,
    resolve,
)

urlpatterns = [
    path("assets", assets.Assets.as_view(), name="api-assets"),
    path("assets/<uuid:asset_id>", assets.OneAsset.as_view(), name="api-asset"),
    path("assets/<uuid:asset_id>/rename", assets.RenameAsset.as_view(), name="api-asset-rename"),
    path("assets/<uuid:asset_id>/retire", assets.RetireAsset.as_view(), name="api-asset-retire"),
    path("chains", chains.Chains.as_view(), name="api-chains"),
    path("chains/<slug:chain_id>", chains.OneChain.as_view(), name="api-chain"),
    path("chains/<slug:chain_id>/retire", chains.RetireChain.as_view(), name="api-chain-retire"),
    path("deployments", deployments.Deployments.as_view(), name="api-deployments"),
    path(
        "deployments/<uuid:deployment_id>",
        deployments.OneDeployment.as_view(),
        name="api-deployment",
    ),
    path(
        "deployments/<uuid:deployment_id>/correct",
        deployments.CorrectDeployment.as_view(),
        name="api-deployment-correct",
    ),
    path(
        "deployments/<uuid:deployment_id>/end",
        deployments.EndDeployment.as_view(),
        name="api-deployment-end",
    ),
    path(
        "chains/<slug:chain_id>/deployments/<str:address>",
        deployments.DeploymentAt.as_view(),
        name="api-deployment-at",
    ),
    path("aliases", names.Aliases.as_view(), name="api-aliases"),
    path("aliases/<uuid:alias_id>/end", names.EndAlias.as_view(), name="api-alias-end"),
    path("identifiers", names.Identifiers.as_view(), name="api-identifiers"),
    path(
        "identifiers/<uuid:identifier_id>/end",
        names.EndIdentifier.as_view(),
        name="api-identifier-end",
    ),
    path("relationships", relations.Relationships.as_view(), name="api-relationships"),
    path(
        "relationships/<uuid:relationship_id>/end",
        relations.EndRelationship.as_view(),
        name="api-relationship-end",
    ),
    path("groups", groups.Groups.as_view(), name="api-groups"),
    path("groups/<str:group>", groups.OneGroup.as_view(), name="api-group"),
    path("groups/<str:group>/canonical", groups.Canonical.as_view(), name="api-group-canonical"),
    path("groups/<str:group>/members", groups.Members.as_view(), name="api-members"),
    path(
        "groups/<str:group>/members/<uuid:asset_id>/count",
        groups.CountMember.as_view(),
        name="api-member-count",
    ),
    path(
        "groups/<str:group>/members/<uuid:asset_id>/remove",
        groups.RemoveMember.as_view(),
        name="api-member-remove",
    ),
    path("flags", flags.Flags.as_view(), name="api-flags"),
    path("flags/<uuid:flag_id>", flags.OneFlag.as_view(), name="api-flag"),
    path("flags/<uuid:flag_id>/resolve", flags.ResolveFlag.as_view(), name="api-flag-resolve"),
    path("findings", findings.Findings.as_view(), name="api-findings"),
    path("findings/<uuid:finding_id>", findings.OneFinding.as_view(), name="api-finding"),
    path(
        "findings/<uuid:finding_id>/dismiss",
        findings.DismissFinding.as_view(),
        name="api-finding-dismiss",
    ),
    path("merges", merges.Merges.as_view(), name="api-merges"),
    path("merges/<uuid:merge_id>", merges.OneMerge.as_view(), name="api-merge"),
    path("merges/<uuid:merge_id>/split", merges.SplitMerge.as_view(), name="api-merge-split"),
    path("resolve", resolve.Resolve.as_view(), name="api-resolve"),
]
