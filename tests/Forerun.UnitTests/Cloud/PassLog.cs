using Forerun.Cloud;
using Microsoft.Extensions.Logging;

namespace Forerun.UnitTests.Cloud;

/// <summary>Collects what each target pass was made of.</summary>
internal sealed class PassLog : ILogger<VerificationScheduler>
{
    private readonly List<(int Rows, int PromptRows, int Sessions)> _passes = [];

    public (int Rows, int PromptRows, int Sessions)[] Passes
    {
        get
        {
            lock (_passes)
            {
                return [.. _passes];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (logLevel == LogLevel.Trace && state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            lock (_passes)
            {
                _passes.Add(((int)values[0].Value!, (int)values[1].Value!, (int)values[2].Value!));
            }
        }
    }
}
