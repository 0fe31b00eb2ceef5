using System.Diagnostics;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A file system of a few MiB in memory (tmpfs), which fills. Mounting it takes root.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string directory) => Directory = directory;

    internal string Directory { get; }

    internal static async Task<SmallDisk> MountAsync(int mebibytes)
    {
        var disk = new SmallDisk(System.IO.Directory.CreateTempSubdirectory("httpresilience-disk-").FullName);
        int code = OperatingSystem.IsLinux() && Environment.UserName == "root"
            ? await RunAsync("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m,mode=777", "tmpfs", disk.Directory)
            : -1;
        if (code != 0)
            System.IO.Directory.Delete(disk.Directory);
        PostgreSqlServer.ShouldBeInstalled(code == 0, "A small file system is mounted as root on Linux only.");
        return disk;
    }

    /// <summary>Takes the rest of the space; delete the file to give it back.</summary>
    internal string Fill()
    {
        string path = Path.Combine(Directory, "filling");
        try
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (true)
                file.Write(new byte[4096]);
        }
        catch (IOException)
        {
            return path;
        }
    }

    public async ValueTask DisposeAsync()
    {
        (await RunAsync("umount", Directory)).ShouldBe(0);
        System.IO.Directory.Delete(Directory);
    }

    private static async Task<int> RunAsync(params string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
