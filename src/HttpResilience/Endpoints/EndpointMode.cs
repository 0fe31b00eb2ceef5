namespace HttpResilience;

/// <summary>Which of several endpoints of an API a call goes to first.</summary>
public enum EndpointMode
{
    /// <summary>The first of the list that is available.</summary>
    Ordered,

    /// <summary>One of those that are available, by their weights.</summary>
    Weighted,
}
