using System.Diagnostics;

namespace Forerun.Cli.Running;

/// <summary>Another process of this program. Disposing ends it.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;

    /// <summary>Starts <c>forerun</c> with these arguments.</summary>
    public ChildProcess(params IEnumerable<string> arguments)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        List<string> all = [.. arguments];
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            all.Insert(0, Environment.GetCommandLineArgs()[0]);
        }

        _process = Process.Start(new ProcessStartInfo(program, all)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>What it prints.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>Waits for its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is its own.</exception>
    public async Task EnsureSuccessAsync(CancellationToken cancellationToken)
    {
        var errors = await _process.StandardError.ReadToEndAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        if (_process.ExitCode != 0)
        {
            throw new InvalidOperationException($"A child process ended with exit code {_process.ExitCode}: {errors.Trim()}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
