// Passkeys (WebAuthn), as JSON to and from the server. The browser's own conversions are younger than the
// oldest browsers that we serve.

/**
 * What the server sends to be answered with a passkey, and to make one, with its bytes as base64url.
 * @typedef {{id: string, type: "public-key", transports?: AuthenticatorTransport[]}} Descriptor
 * @typedef {Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials">
 *   & {challenge: string, allowCredentials?: Descriptor[]}} AskOptions
 * @typedef {Omit<PublicKeyCredentialCreationOptions, "challenge" | "user" | "excludeCredentials">
 *   & {challenge: string, user: {id: string, name: string, displayName: string}, excludeCredentials?: Descriptor[]}
 * } MakeOptions
 */

/** Why this page cannot use passkeys, in words; empty if it can. */
export function whyNotHere() {
  if (!window.isSecureContext) return "Passkeys need an address that begins with https.";
  if (!window.PublicKeyCredential) return "This browser can’t use passkeys.";
  return "";
}

/**
 * Has the person choose one of their passkeys.
 * @param {{publicKey: AskOptions}} options
 * @returns {Promise<object>} what the server checks
 */
export async function askForPasskey({ publicKey }) {
  const { challenge, allowCredentials, ...rest } = publicKey;
  const asked = {
    ...rest,
    challenge: toBytes(challenge),
    allowCredentials: (allowCredentials ?? []).map(describe),
  };
  return toJson(await navigator.credentials.get({ publicKey: asked }));
}

/**
 * Has the person make a passkey on this device, or on one nearby.
 * @param {{publicKey: MakeOptions}} options
 * @returns {Promise<object>} what the server checks and keeps
 */
export async function makePasskey({ publicKey }) {
  const { challenge, user, excludeCredentials, ...rest } = publicKey;
  const wanted = {
    ...rest,
    challenge: toBytes(challenge),
    user: { ...user, id: toBytes(user.id) },
    excludeCredentials: (excludeCredentials ?? []).map(describe),
  };
  return toJson(await navigator.credentials.create({ publicKey: wanted }));
}

/**
 * Says in plain words why no passkey came. Browsers do not tell a person who said no from one who has none.
 * @param {unknown} error
 * @param {string} site the host that the passkeys belong to
 */
export function describeFailure(error, site) {
  const name = error instanceof Error ? error.name : "";
  if (name === "SecurityError") return `Passkeys belong to ${site}. Open Partyline there to use one.`;
  if (name === "InvalidStateError") return "This device has a passkey for your account already.";
  if (name === "NotSupportedError") return "This browser can’t make the kind of passkey that is needed.";
  if (name === "NotAllowedError" || name === "AbortError") {
    return "No passkey was used. You can try again; this device may have none for Partyline yet.";
  }
  return "That didn’t work. Check your connection, then try again.";
}

/** @param {Descriptor} known */
const describe = ({ id, ...rest }) => ({ ...rest, id: toBytes(id) });

/** @param {Credential | null} credential */
function toJson(credential) {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("None came", "NotAllowedError");
  const { response } = credential;
  /** @type {Record<string, unknown>} */
  const part = { clientDataJSON: toText(response.clientDataJSON) };
  if (response instanceof AuthenticatorAssertionResponse) {
    part.authenticatorData = toText(response.authenticatorData);
    part.signature = toText(response.signature);
    part.userHandle = response.userHandle ? toText(response.userHandle) : null;
  } else if (response instanceof AuthenticatorAttestationResponse) {
    part.attestationObject = toText(response.attestationObject);
    part.transports = response.getTransports?.() ?? [];
  }
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: part,
  };
}

/** @param {string} text base64url */
function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/** @param {ArrayBuffer} bytes */
function toText(bytes) {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
