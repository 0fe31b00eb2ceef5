using Microsoft.Playwright;

[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: AssemblyFixture(typeof(HttpResilience.PageTests.Browser))]

namespace HttpResilience.PageTests;

/// <summary>Debian's Chromium, once for all tests.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium))
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
    }

    /// <summary>A window of a person.</summary>
    internal async Task<Window> OpenAsync(
        PageHost host, string? person = PageHost.Operator, Action<BrowserNewContextOptions>? options = null)
    {
        if (_browser is null)
            Assert.Skip("Chromium is missing: apt-get install chromium.");
        var settings = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = 1280, Height = 900 },
            TimezoneId = "UTC",
            Locale = "en-GB",
            ColorScheme = ColorScheme.Light,
        };
        options?.Invoke(settings);
        var context = await _browser.NewContextAsync(settings);
        if (person is not null)
            await context.AddCookiesAsync([new() { Name = "X-User", Value = Uri.EscapeDataString(person), Url = host.Page() }]);
        return new(context, await context.NewPageAsync(), host);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

/// <summary>A window, and what its console said.</summary>
internal sealed class Window : IAsyncDisposable
{
    private readonly List<string> _messages = [];
    private readonly PageHost _host;

    internal Window(IBrowserContext context, IPage page, PageHost host)
    {
        (Context, Page, _host) = (context, page, host);
        page.Console += (_, message) => Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Add(error);
        page.Dialog += (_, dialog) => Add($"dialog: {dialog.Message}");
    }

    internal IBrowserContext Context { get; }

    internal IPage Page { get; }

    internal IReadOnlyList<string> Messages
    {
        get
        {
            lock (_messages)
                return [.. _messages];
        }
    }

    internal async Task<IResponse> GoAsync(string path = "") => (await Page.GotoAsync(_host.Page(path)))!;

    public async ValueTask DisposeAsync() => await Context.DisposeAsync();

    private void Add(string message)
    {
        lock (_messages)
            _messages.Add(message);
    }
}
