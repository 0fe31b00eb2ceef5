namespace HttpResilience;

/// <summary>Finds the bodies of the parts in the bytes of a multipart body (RFC 2046 §5.1.1).</summary>
internal static class MultipartBytes
{
    private static ReadOnlySpan<byte> EndOfLine => "\r\n"u8;

    private static ReadOnlySpan<byte> EndOfHeaders => "\r\n\r\n"u8;

    /// <param name="body">As <see cref="MultipartContent"/> writes it: the first line is the delimiter.</param>
    /// <returns>The ranges of the bodies, in order; null when the bytes are not a multipart body.</returns>
    internal static List<Range>? BodiesIn(ReadOnlySpan<byte> body)
    {
        int firstLine = body.IndexOf(EndOfLine);
        if (firstLine < 0 || !body.StartsWith("--"u8))
            return null;

        byte[] delimiter = [.. EndOfLine, .. body[..firstLine]];
        List<Range> bodies = [];
        // The delimiter line ends with the end of line that an empty list of headers begins with.
        for (int at = firstLine; ;)
        {
            int headers = body[at..].IndexOf(EndOfHeaders);
            if (headers < 0)
                return null;
            int start = at + headers + EndOfHeaders.Length;
            int length = body[start..].IndexOf(delimiter);
            if (length < 0)
                return null;
            bodies.Add(start..(start + length));
            at = start + length + delimiter.Length;
            if (body[at..].StartsWith("--"u8))
                return bodies;
        }
    }
}
