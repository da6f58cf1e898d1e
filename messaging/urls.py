from django.urls import include, path, re_path
from django.views.generic import RedirectView

from messaging.accounts.webhook_paths import PATTERN
from messaging.conversations.views import (
    activity,
    all_scheduled,
    attachments,
    blocking,
    bulk,
    consents,
    contact_cards,
    contact_export,
    contact_imports,
    contact_list,
    contacts,
    conversation,
    details,
    drafts,
    labels,
    lists,
    mentions,
    messages,
    mute,
    opt_outs,
    read_marks,
    reply_pages,
    saved_replies,
    scheduled,
    search,
    sending,
    start,
    thread_options,
    tools,
    undo_send,
    work,
)
from messaging.inbound import views as webhooks
from messaging.notifications import email_views, settings_views
from messaging.notifications import views as notifications
from messaging.your_account import new_phone, phone_views
from messaging.your_account import views as account

app_name = "messaging"
urlpatterns = [
    path("setup/", include("messaging.setup.urls")),
    path("", lists.show_messages, name="messages"),
    path("inboxes/<int:inbox_id>/", lists.show_inbox, name="inbox"),
    path("start/", start.compose_first_text, name="start"),
    path("start/files/", start.add_first_file, name="start_files"),
    path("start/to/", start.describe_recipient, name="start_to"),
    path("threads/<int:thread_id>/", conversation.show_conversation, name="conversation"),
    path("threads/<int:thread_id>/messages/", sending.send_text, name="send"),
    path("threads/<int:thread_id>/draft/", drafts.save_composer, name="draft"),
    path(
        "threads/<int:thread_id>/attachments/", attachments.list_or_add_files, name="attachments"
    ),
    path("attachments/<int:attachment_id>/", attachments.serve_attachment, name="attachment"),
    path(
        "attachments/<int:attachment_id>/thumbnail/", attachments.serve_thumbnail, name="thumbnail"
    ),
    path(
        "attachments/<int:attachment_id>/remove/",
        attachments.remove_attachment,
        name="remove_attachment",
    ),
    path(
        "attachments/<int:attachment_id>/fetch/",
        attachments.refetch_attachment,
        name="fetch_attachment",
    ),
    path("attachments/<int:attachment_id>/card/", contact_cards.show_cards, name="cards"),
    path(
        "attachments/<int:attachment_id>/card/save/", contact_cards.save_contact, name="save_card"
    ),
    path("media/<str:signed>/<str:name>", attachments.serve_public_file, name="public_media"),
    path("threads/<int:thread_id>/mentions/", mentions.list_mentionable_agents, name="mentions"),
    path(
        "threads/<int:thread_id>/saved-replies/",
        saved_replies.list_for_thread,
        name="saved_replies",
    ),
    path(
        "inboxes/<int:inbox_id>/saved-replies/",
        saved_replies.list_for_inbox,
        name="inbox_saved_replies",
    ),
    path(
        "saved-replies/<int:reply_id>/used/",
        saved_replies.use_saved_reply,
        name="use_saved_reply",
    ),
    path("threads/<int:thread_id>/menus/", tools.show_work_menus, name="work_menus"),
    path("threads/<int:thread_id>/files/", details.list_all_files, name="files"),
    path("threads/<int:thread_id>/composer/", conversation.show_composer, name="composer"),
    path("threads/<int:thread_id>/contact/", contacts.edit_contact, name="contact"),
    path(
        "contacts/<int:contact_id>/consent/", consents.record_consent_of_contact, name="consents"
    ),
    path("consents/<int:consent_id>/end/", consents.end_one_consent, name="end_consent"),
    path(
        "contacts/<int:contact_id>/opt-out/",
        opt_outs.record_contact_opt_out,
        name="contact_opt_out",
    ),
    path(
        "contacts/<int:contact_id>/opt-out/end/",
        opt_outs.end_contact_opt_out,
        name="end_contact_opt_out",
    ),
    path("contacts/<int:contact_id>/block/", blocking.block, name="block"),
    path("contacts/<int:contact_id>/unblock/", blocking.unblock, name="unblock"),
    path("contacts/export/", contact_export.export_contacts, name="export_contacts"),
    path("contacts/import/", contact_imports.import_contacts, name="import_contacts"),
    path("contacts/import/<int:import_id>/", contact_imports.show_import, name="import"),
    path(
        "contacts/import/<int:import_id>/columns/",
        contact_imports.choose_columns,
        name="import_columns",
    ),
    path(
        "contacts/import/<int:import_id>/progress/",
        contact_imports.show_progress,
        name="import_progress",
    ),
    path(
        "contacts/import/<int:import_id>/lines/", contact_imports.list_lines, name="import_lines"
    ),
    path(
        "contacts/import/<int:import_id>/errors/",
        contact_imports.download_errors,
        name="import_errors",
    ),
    path(
        "contacts/import/<int:import_id>/start/",
        contact_imports.start_import,
        name="start_import",
    ),
    path(
        "contacts/import/<int:import_id>/cancel/",
        contact_imports.cancel_import,
        name="cancel_import",
    ),
    path("threads/<int:thread_id>/opt-out/", opt_outs.record_thread_opt_out, name="opt_out"),
    path("threads/<int:thread_id>/opt-out/end/", opt_outs.end_thread_opt_out, name="end_opt_out"),
    path("threads/<int:thread_id>/read/", read_marks.mark_thread_read, name="read"),
    path("replies/", reply_pages.list_replies, name="replies"),
    path("replies/new/", reply_pages.add_reply, name="add_reply"),
    path("replies/<int:reply_id>/", reply_pages.change_reply, name="reply"),
    path("replies/<int:reply_id>/delete/", reply_pages.delete_reply, name="delete_reply"),
    path("replies/files/<int:file_id>/", reply_pages.serve_reply_file, name="reply_file"),
    path(
        "replies/files/<int:file_id>/thumbnail/",
        reply_pages.serve_reply_thumbnail,
        name="reply_thumbnail",
    ),
    path("later/", all_scheduled.list_all_scheduled, name="all_scheduled"),
    path("later/<int:text_id>/", scheduled.change_scheduled, name="scheduled"),
    path("later/<int:text_id>/send/", scheduled.send_scheduled_now, name="send_scheduled"),
    path("later/<int:text_id>/delete/", scheduled.delete_scheduled, name="delete_scheduled"),
    path("later/<int:text_id>/undo/", undo_send.take_back_text, name="take_back"),
    path("messages/<int:message_id>/text/", messages.show_whole_text, name="whole"),
    path("messages/<int:message_id>/retry/", sending.retry_text, name="retry"),
    path("messages/<int:message_id>/seen/", messages.mark_seen, name="seen"),
    path("activity/<int:activity_id>/", activity.show_whole_activity, name="activity"),
    path("threads/<int:thread_id>/label/", labels.label_thread, name="label"),
    path("threads/<int:thread_id>/mute/", mute.set_thread_mute, name="mute"),
    path("threads/<int:thread_id>/priority/", thread_options.set_thread_priority, name="priority"),
    path("threads/<int:thread_id>/unread/", thread_options.mark_thread_unread, name="unread"),
    path("threads/<int:thread_id>/delete/", thread_options.delete_thread_for_agent, name="delete"),
    path(
        "threads/<int:thread_id>/restore/", thread_options.restore_deleted_thread, name="restore"
    ),
    path("threads/<int:thread_id>/assign/", work.assign_thread, name="assign"),
    path("threads/<int:thread_id>/done/", work.mark_thread_done, name="done"),
    path("threads/<int:thread_id>/reopen/", work.reopen_thread, name="reopen"),
    path("threads/<int:thread_id>/snooze/", work.snooze_thread, name="snooze"),
    path("bulk/", bulk.act_on_many, name="bulk"),
    path("bulk/tools/", bulk.show_tools, name="bulk_tools"),
    path("bulk/<int:action_id>/", bulk.show_progress, name="bulk_progress"),
    path("bulk/<int:action_id>/undo/", bulk.undo_on_many, name="undo_bulk"),
    path("search/", search.search_messages, name="search"),
    path("inboxes/<int:inbox_id>/search/", search.search_messages, name="search_from"),
    path("contacts/", contact_list.show_contacts, name="contacts"),
    path("contacts/new/", contact_list.add_contact, name="new_contact"),
    path("contacts/<int:contact_id>/", contact_list.show_contact, name="contact_page"),
    path("contacts/<int:contact_id>/edit/", contact_list.change_contact, name="edit_contact"),
    path("notifications/", notifications.show_notifications, name="notifications"),
    path("notifications/read/", notifications.mark_all_read, name="read_all"),
    path(
        "notifications/<int:notification_id>/read/",
        notifications.mark_notification_read,
        name="read_one",
    ),
    path("settings/", settings_views.edit_settings, name="settings"),
    # Where it stood before
    path("settings/password/", RedirectView.as_view(pattern_name="account_change_password")),
    path("settings/locale/", settings_views.report_locale, name="report_locale"),
    path("settings/test/", settings_views.send_test_push, name="test_notification"),
    path("settings/push/", settings_views.subscribe_browser, name="subscribe"),
    path(
        "settings/push/<int:subscription_id>/remove/",
        settings_views.unsubscribe_browser,
        name="unsubscribe",
    ),
    path("account/", account.show_account, name="account"),
    path("account/undo/", account.save_undo_seconds, name="undo_seconds"),
    path("account/name/", account.save_own_name, name="own_name"),
    path("account/sessions/<int:session_id>/end/", account.end_session, name="end_session"),
    path(
        "account/sessions/end-others/", account.end_all_other_sessions, name="end_other_sessions"
    ),
    path("account/new-phone/", new_phone.sign_in_a_phone, name="new_phone"),
    path("account/new-phone/confirm/", new_phone.confirm_phone, name="confirm_phone"),
    path("account/new-phone/refuse/", new_phone.refuse_phone, name="refuse_phone"),
    path("account/new-phone/<str:token>/", phone_views.open_phone_code, name="open_phone_code"),
    path(
        "account/new-phone/<str:token>/finish/",
        phone_views.finish_phone_sign_in,
        name="finish_phone",
    ),
    path("e-mails/stop/<str:token>/", email_views.stop_emails, name="stop_emails"),
    path("service-worker.js", settings_views.serve_service_worker, name="service_worker"),
    path(
        "webhooks/<slug:carrier>/<slug:account_token>/",
        webhooks.receive_webhook_request,
        name="webhook",
    ),
    path(
        "webhooks/<slug:carrier>/<slug:account_token>/<str:attempt_token>/",
        webhooks.receive_webhook_request,
        name="receipt",
    ),
    # Every other spelling: a redirect to the usual one would lose the text.
    re_path(PATTERN, webhooks.receive_webhook_request),
]
