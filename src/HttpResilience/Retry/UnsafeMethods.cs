namespace HttpResilience;

/// <summary>
/// Whether a request that is not idempotent by its method (POST, PATCH) is sent again when the first one may have been processed.
/// A request that was not sent, or that the server said it did not process, is sent again under every setting.
/// </summary>
public enum UnsafeMethods
{
    /// <summary>When it carries an idempotency key. Right only for an API that honours the key: check its documentation.</summary>
    WhenKeyed,

    /// <summary>Never.</summary>
    Never,

    /// <summary>Always, key or no key. For calls that change nothing, such as a search by POST.</summary>
    Always,
}
