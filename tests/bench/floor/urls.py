from django.urls import path

from config.urls import urlpatterns as product
from tests.bench.floor import views

urlpatterns = [
    path("floor/insert/", views.insert),
    path("floor/tell/", views.tell),
    path("floor/queries/", views.count_queries, {"path": ""}),
    path("floor/queries/<path:path>", views.count_queries),
    *product,
]
