/**
 * A logback.xml that writes to the file that stdout of the process goes to as well, and keeps it from growing for ever.
 * S3Proxy's own default is DEBUG: with it, 100 MB take four times as long.
 */
export function logbackConfig(file: string, level: "INFO" | "WARN"): string {
  return `<configuration>
  <appender name="FILE" class="ch.qos.logback.core.rolling.RollingFileAppender">
    <file>${xmlText(file)}</file>
    <rollingPolicy class="ch.qos.logback.core.rolling.FixedWindowRollingPolicy">
      <fileNamePattern>${xmlText(file)}.%i</fileNamePattern>
      <minIndex>1</minIndex>
      <maxIndex>1</maxIndex>
    </rollingPolicy>
    <triggeringPolicy class="ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy">
      <maxFileSize>20MB</maxFileSize>
    </triggeringPolicy>
    <encoder><pattern>%-5level %d{ISO8601} %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="${level}"><appender-ref ref="FILE"/></root>
</configuration>
`;
}

function xmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
