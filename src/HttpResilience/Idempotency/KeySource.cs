namespace HttpResilience;

/// <summary>The source of the idempotency key of a call when the caller gives none.</summary>
public enum KeySource
{
    /// <summary>A random UUID: each call is a separate operation, and its attempts share the key.</summary>
    Random,

    /// <summary>
    /// The data: SHA-256 over method, URI, tenant and body, 43 characters of base64url. The same data sent again, even by another process
    /// after a crash, is the same operation; corrected data is a new one.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Suits operations that are unique by their data, such as an invoice with its number in the body. Two equal payments in a row count as
    /// one operation, and so does a change that is made, undone and made again: the API does not process the second one. If that can
    /// happen, add a distinguishing value to the body, or give the call its own key (<c>WithIdempotencyKey</c>,
    /// <see cref="HttpCallScope"/>). Equal data must be equal bytes: a timestamp in the body makes every call a new operation. A multipart
    /// body is compared by its parts, not by the boundary. User-info and fragment of the URI are ignored, as they are not sent.
    /// </para>
    /// <para>
    /// The body is serialized once before the call is sent, and buffered unless it is in memory already or a stream that can seek. A body
    /// that can be read only once must fit into <c>Retry:MaxReplayBodyBytes</c>; a longer one throws
    /// <see cref="InvalidOperationException"/> before anything is sent, since a repeated call would be a second operation under a random
    /// key.
    /// </para>
    /// </remarks>
    Content,
}
