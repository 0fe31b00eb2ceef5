using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace HttpResilience.PageTests.Hosting;

/// <summary>A proxy that forwards the prefix and nothing else.</summary>
public sealed class ProxyTests(Browser browser)
{
    [Fact]
    public async Task Behind_a_proxy_of_the_prefix_alone_everything_works()
    {
        if (!File.Exists(Nginx.Program))
            Assert.Skip("nginx is missing: apt-get install nginx-light.");
        var letter = ExampleLetters.Invoice(20417);
        await using var host = await PageHost.StartAsync();
        await host.AddAsync(letter);
        await using var proxy = await Nginx.StartAsync(host.Address);
        await using var window = await browser.OpenAsync(host);
        await window.Context.AddCookiesAsync(
            [new() { Name = "X-User", Value = Uri.EscapeDataString(PageHost.Operator), Url = proxy.Address.ToString() }]);
        var page = window.Page;
        (await page.GotoAsync(new Uri(proxy.Address, "/").ToString()))!.Status.ShouldBe((int)HttpStatusCode.NotFound);
        await page.GotoAsync(new Uri(proxy.Address, PageHost.Prefix).ToString());
        (await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('.top nav')).display")).ShouldBe("flex");
        await page.ClickAsync("a:has-text('Open the group')");
        await page.ClickAsync("a:has-text('Invoice 20417')");
        await page.FillAsync("#body", """{"vatId":"DE136695976"}""");
        await page.ClickAsync("button:has-text('Send corrected')");
        (await page.InnerTextAsync("main")).ShouldContain("Sending in");
        page.Url.ShouldStartWith(proxy.Address.ToString());
        window.Messages.Where(m => !m.Contains("404", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>nginx of Debian.</summary>
    private sealed class Nginx : IAsyncDisposable
    {
        internal const string Program = "/usr/sbin/nginx";

        private readonly Process _process;
        private readonly string _folder;

        private Nginx(Process process, string folder, Uri address) => (_process, _folder, Address) = (process, folder, address);

        internal Uri Address { get; }

        internal static async Task<Nginx> StartAsync(Uri application)
        {
            string folder = Directory.CreateTempSubdirectory("nginx").FullName;
            int port = FreePort();
            string configuration = Path.Combine(folder, "nginx.conf");
            await File.WriteAllTextAsync(configuration, $$"""
                daemon off;
                error_log {{folder}}/error.log;
                pid {{folder}}/pid;
                events { }
                http {
                  access_log off;
                  client_body_temp_path {{folder}}; proxy_temp_path {{folder}}; fastcgi_temp_path {{folder}}; uwsgi_temp_path {{folder}};
                  scgi_temp_path {{folder}};
                  server {
                    listen 127.0.0.1:{{port}};
                    location / { return 404; }
                    location {{PageHost.Prefix}} {
                      proxy_pass {{application.GetLeftPart(UriPartial.Authority)}};
                      proxy_set_header Host $http_host;
                      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    }
                  }
                }
                """, TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo(Program, ["-c", configuration, "-p", folder]) { RedirectStandardError = true };
            var process = Process.Start(start)!;
            var address = new Uri($"http://127.0.0.1:{port}/");
            using var client = new HttpClient();
            while (true)
            {
                if (process.HasExited)
                    Assert.Fail(await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
                try
                {
                    using var answer = await client.GetAsync(address, TestContext.Current.CancellationToken);
                    return new(process, folder, address);
                }
                catch (HttpRequestException)
                {
                    // It has not begun to listen.
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
