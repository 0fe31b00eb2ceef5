namespace HttpResilience.IntegrationTests;

/// <summary>Steps of a <see cref="RawServer"/>.</summary>
internal static class Raw
{
    internal static Func<RawConnection, Task> Ok => Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    internal static Func<RawConnection, Task> Unavailable => Answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy");

    /// <summary>Reads a request and answers with exactly these bytes. The connection stays open.</summary>
    internal static Func<RawConnection, Task> Answer(string bytes) => async connection =>
    {
        await connection.ReadRequestAsync();
        await connection.SendAsync(bytes);
    };

    /// <summary>Reads a request, answers with exactly these bytes and closes the connection.</summary>
    internal static Func<RawConnection, Task> AnswerAndClose(string bytes) => async connection =>
    {
        await connection.ReadRequestAsync();
        await connection.SendAsync(bytes);
        connection.Close();
    };

    /// <summary>Reads a request, answers with exactly these bytes and stalls until the client gives up.</summary>
    internal static Func<RawConnection, Task> AnswerAndStall(string bytes) => async connection =>
    {
        await connection.ReadRequestAsync();
        await connection.SendAsync(bytes);
        await connection.UntilGoneAsync();
    };

    /// <summary>Resets the connection before reading.</summary>
    internal static Func<RawConnection, Task> ResetUnread => connection =>
    {
        connection.Reset();
        return Task.CompletedTask;
    };

    /// <summary>Reads the request, then resets the connection.</summary>
    internal static Func<RawConnection, Task> ResetAfterReading => async connection =>
    {
        await connection.ReadRequestAsync();
        connection.Reset();
    };
}
