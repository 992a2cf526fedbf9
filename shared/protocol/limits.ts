// Limits that a page needs before anything is sent. Apart from messages.ts, so that a page does not load its schemas.

/** Of a worker's name, in UTF-16 units: fits a table column. */
export const NAME_CHARS_MAX = 40;
/** Of one lease: their JSON, some 70 bytes each, has to fit in the head of a reply. */
export const BATCHES_MAX = 800;
