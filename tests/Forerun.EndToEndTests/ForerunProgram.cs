using System.Diagnostics;

namespace Forerun.EndToEndTests;

/// <summary>Runs the program as a user does.</summary>
internal static class ForerunProgram
{
    private static readonly string Path = Repository.Path(
        "artifacts", "bin", "Forerun.Cli", System.IO.Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "forerun.dll");

    private static readonly string Target =
        Repository.Path("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        Assert.True(File.Exists(Target), "The bundled target is missing.");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(120));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }
}
