using System.Security.Cryptography;

namespace HttpResilience.Storage;

/// <summary>
/// Encrypts dead letters for the store (<c>DeadLetter:Protect</c>). The package HttpResilience.DataProtection has one; an application may
/// register its own as a singleton. All members may be called from many threads at once.
/// </summary>
public interface ILetterProtector
{
    /// <summary>
    /// The reason why letters could not be opened after a restart, with the remedy; null when they can. A client with
    /// <c>DeadLetter:Protect</c> does not start with one.
    /// </summary>
    string? Problem { get; }

    /// <summary>Encrypts and authenticates with the current key.</summary>
    /// <param name="data">The data.</param>
    /// <param name="purpose">The part of a letter that they are: data protected for one purpose cannot be opened for another.</param>
    /// <param name="keyId">The id of the key, by which <see cref="Unprotect"/> finds it. At most 200 characters.</param>
    /// <returns>The protected data.</returns>
    /// <exception cref="CryptographicException">There is no key to protect with.</exception>
    byte[] Protect(ReadOnlySpan<byte> data, string purpose, out string keyId);

    /// <summary>Opens protected data, also with a key that is no longer the current one.</summary>
    /// <param name="data">The protected data.</param>
    /// <param name="purpose">The purpose that they were protected for.</param>
    /// <param name="keyId">The id of their key.</param>
    /// <returns>The data.</returns>
    /// <exception cref="LetterKeyMissingException">The key is lost, revoked, or that of another application.</exception>
    /// <exception cref="CryptographicException">The data were changed, or protected for another purpose.</exception>
    byte[] Unprotect(ReadOnlySpan<byte> data, string purpose, string keyId);

    /// <summary>
    /// Whether this process has a key now. Asked about once a minute for each key that was missing, so that its letters are due again when
    /// it is back: an implementation looks for the key where keys are kept, not in a copy.
    /// </summary>
    /// <param name="keyId">The id of the key.</param>
    bool HasKey(string keyId);
}

/// <summary>The key of protected data is missing: it is lost, revoked, or that of another application.</summary>
/// <param name="keyId">The id of the key.</param>
/// <param name="remedy">The remedy, a sentence.</param>
/// <param name="innerException">The error of the key store; null when there is none.</param>
public sealed class LetterKeyMissingException(string keyId, string remedy, Exception? innerException = null)
    : Exception($"{ActionOf(keyId)}. {remedy}", innerException)
{
    /// <summary>The id of the key.</summary>
    public string KeyId => keyId;

    /// <summary>
    /// The suggested action of letters whose key is missing. Stores find them by this text, so that they are due again when the key is
    /// back.
    /// </summary>
    /// <param name="keyId">The id of the key.</param>
    public static string ActionOf(string keyId) => $"key {keyId} is missing";
}
