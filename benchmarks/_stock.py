"""A stock DRF view over the ORM, on the same tables: the yardstick of the hot read, with nobody to sign in.

Served by `uvicorn benchmarks._stock:application`. It has the middleware of a new Django project's API and
none of ours, which is kinder to it than to what is measured against it.
"""

from __future__ import annotations

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks._stock_settings"
django.setup()

from django.core.asgi import get_asgi_application
from django.urls import path
from rest_framework import generics, serializers

from assets.models import Asset


class StockSerializer(serializers.ModelSerializer[Asset]):
    class Meta:
        model = Asset
        fields = "__all__"


class StockAsset(generics.RetrieveAPIView[Asset]):
    queryset = Asset.objects.all()
    serializer_class = StockSerializer


urlpatterns = [path("stock/<uuid:pk>", StockAsset.as_view())]
application = get_asgi_application()
