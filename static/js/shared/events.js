// The events by which modules tell each other what happened on the page. All of them are dispatched
// on `document`; this module lists them, with what each of them carries.

/**
 * What the page shows, and the change counters that it is up to date with. The server is told in
 * the same words.
 * @typedef {object} View
 * @property {number | "top"} list the open inbox; "top" for the list of inboxes
 * @property {string} only what the list is narrowed to, in one word; empty where it shows everything
 * @property {number | null} thread the open thread
 * @property {Record<string, number>} seqs counters by their names, as "i3" or "t45"
 * @property {string} until the key of the last loaded row; empty where there are no further ones
 */

/**
 * Who else is in a thread.
 * @typedef {object} Presence
 * @property {number} thread
 * @property {string} people their chips, as HTML
 * @property {string} typing the sentence that says who types; empty if nobody does
 */

/**
 * What others do in the threads of a list.
 * @typedef {object} PresenceMarks
 * @property {number | string} list
 * @property {Record<string, "viewing" | "replying">} threads
 */

/**
 * A draft as the server has it.
 * @typedef {object} ServerDraft
 * @property {number} thread
 * @property {string} body
 * @property {boolean} is_internal
 * @property {number[]} files the attachments that wait to be sent with it
 * @property {number} seq the agent's change counter at which it was saved
 */

/**
 * @typedef {object} Notification
 * @property {number} id
 * @property {number} thread
 * @property {string} title
 * @property {string} body
 * @property {string} url
 * @property {string} tag a newer notification of the same tag replaces this one
 * @property {number} at when it came, in milliseconds
 */

/**
 * How many threads of an inbox the views hold that have a count, and whether its number receives
 * texts.
 * @typedef {object} ViewCounts
 * @property {number} inbox
 * @property {string} seq the change counters of inbox and agent, as "17-5"; empty where the agent
 *   lost the inbox
 * @property {number} [reply] nothing where no thread had changed, as the next two
 * @property {number} [mine]
 * @property {number} [failed] threads with failed or unknown texts that nobody has seen
 * @property {string} [lost] the inbox's name, if new texts to its number don't come here
 */

/**
 * A label that an administrator changed.
 * @typedef {object} ChangedLabel
 * @property {number} id
 * @property {string} name
 * @property {string} colour
 * @property {boolean} gone whether it was deleted
 */

/**
 * Parts of a frame from the server that become an event of the same name.
 * @typedef {object} ServerEvents
 * @property {Presence} presence
 * @property {PresenceMarks} marks
 * @property {ServerDraft[]} drafts
 * @property {ViewCounts} counts
 * @property {ChangedLabel[]} labels
 * @property {Record<string, boolean>} muted whether each of these threads is muted
 * @property {Record<string, number>} hidden up to which message each of these threads is hidden;
 *   0 if it is not
 * @property {{thread: number, refusal: string, wish: number, hours?: string}} standing why the
 *   thread cannot be written to, empty if it can; the text that may ask for no more texts, 0 if
 *   none does; and whether its inbox is closed, if that has hours
 * @property {{unread: number, new: Notification[]}} notices
 */

/**
 * @typedef {object} OwnEvents
 * @property {null} connectionOpened
 * @property {null} accessLost the page is about to leave what the agent may not see any more
 * @property {View} viewChanged another list or thread is shown, or the same one was loaded again
 * @property {null} fragmentsChanged rows or messages were inserted, changed or removed
 * @property {null} hoursChanged the inbox of the open thread has opened or closed
 * @property {null} selectionChanged other rows of the list are selected, or they say something else
 * @property {{count: number}} newerMessages messages were added below what is in view
 * @property {null} attachmentsChanged the agent attached a file, or removed one
 * @property {{attachments: string[]}} messageSent the server took a text, with these files
 * @property {null} messageRefused
 * @property {{isInternal: boolean}} modeChanged
 * @property {null} draftReplaced the text in the box changed, not by typing
 * @property {number[]} draftFilesChanged the files of the open draft, as the server has them
 */

/** @typedef {ServerEvents & OwnEvents} PageEvents */

/**
 * @template {keyof PageEvents} Name
 * @param {Name} name
 * @param {PageEvents[Name] extends null ? [] : [PageEvents[Name]]} payload
 */
export function announce(name, ...payload) {
  const [detail] = payload;
  document.dispatchEvent(new CustomEvent(`partyline:${name}`, { detail }));
}

/**
 * Calls the listener with what each event of this name carries.
 * @template {keyof PageEvents} Name
 * @param {Name} name
 * @param {(payload: PageEvents[Name]) => void} listener
 */
export function listen(name, listener) {
  document.addEventListener(`partyline:${name}`, (event) => {
    listener(/** @type {CustomEvent<PageEvents[Name]>} */ (event).detail);
  });
}
