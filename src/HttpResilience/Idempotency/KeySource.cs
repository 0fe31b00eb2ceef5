namespace HttpResilience;

/// <summary>What the idempotency key of a call is made from when the caller gives none.</summary>
public enum KeySource
{
    /// <summary>A random UUID: each call is an operation of its own, and its attempts share the key.</summary>
    Random,

    /// <summary>
    /// The data: SHA-256 over method, URI, tenant and body, 43 characters of base64url. The same data sent again, even by another process after a crash,
    /// is the same operation; corrected data is a new one.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Right for operations that are unique by nature, such as an invoice with its number in the body. To it two equal payments in a row are one operation,
    /// and so is a change that is made, undone and made again: the API answers the second from memory and does nothing. Where that can happen, put what
    /// tells them apart into the body, or give the call a key of its own (<c>WithIdempotencyKey</c>, <see cref="HttpCallScope"/>).
    /// The same data must also be the same bytes: a time of sending in the body makes every call a new operation. A multipart body counts by its parts,
    /// not by the boundary between them. User-info and fragment of the URI do not count, as they are not sent.
    /// </para>
    /// <para>
    /// The body is written once before the call is sent, and kept in memory unless it is there already or is a stream that can seek. A body that can be read
    /// only once must fit into <c>Retry:MaxReplayBodyBytes</c>; a longer one ends the call with <see cref="InvalidOperationException"/> before anything is
    /// sent, since under a random key it would be a second operation when it is sent again.
    /// </para>
    /// </remarks>
    Content,
}
