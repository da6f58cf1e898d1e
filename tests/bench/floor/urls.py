from django.urls import path

from config.urls import urlpatterns as product_urls
from tests.bench.floor import views

urlpatterns = [
    path("floor/insert/", views.insert_row),
    path("floor/broadcast/", views.broadcast),
    path("floor/queries/", views.count_queries, {"path": ""}),
    path("floor/queries/<path:path>", views.count_queries),
    *product_urls,
]
